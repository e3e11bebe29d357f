// Sends what is pressed to the server: every button says what it does in data-do, forms in data-form.
// `element` and `trigger` are Gradio's; nothing here knows what an action means.
// What is pressed while a turn is under way waits for its end, so that neither undoes the other;
// of several the last one counts.
const send = (action) => {
  // Pressed twice is pressed once.
  const same = JSON.stringify(action);
  if (window.atWorking?.() && window.atSending === same) return;
  window.atSending = same;
  const waits = window.atWaiting !== undefined;
  window.atWaiting = action;
  if (!waits) settle(Date.now() + 60000);
};
const settle = (until) => {
  if (window.atWorking?.() && Date.now() < until) {
    setTimeout(settle, 40, until);
    return;
  }
  const action = window.atWaiting;
  window.atWaiting = undefined;
  trigger('click', action);
};
if (element.closest('#at-top')) window.atSend = send;
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button || !element.contains(button) || button.disabled) return;
  event.preventDefault();
  if (button.closest('.at-busy') && !button.closest('.at-panel')) return;
  if (button.dataset.sure && !window.confirm(button.dataset.sure)) return;
  // What opened a panel has the focus again when it closes.
  if (!button.closest('.at-panel')) window.atOpener = button.dataset.do;
  window.atPressed = button.dataset.do;
  send(JSON.parse(button.dataset.do));
});
// A picture opens what its title opens; the keyboard has the title.
element.addEventListener('click', (event) => {
  event.target.closest('.at-card .at-picture')?.closest('.at-card').querySelector('.at-title').click();
});
// Safari gives a pressed button no focus, and evidence is shown by it.
element.addEventListener('click', (event) => event.target.closest('.at-reason')?.focus());
element.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-form]');
  if (!form) return;
  event.preventDefault();
  if (form.dataset.form !== 'like') {
    send({do: form.dataset.form, fields: Object.fromEntries(new FormData(form))});
    return;
  }
  const want = [], avoid = [], said = [];
  for (const field of form.querySelectorAll('[data-kind]')) {
    const value = field.value.trim();
    if (!value) continue;
    const label = field.selectedOptions ? field.selectedOptions[0].textContent : value;
    if (field.dataset.kind === 'value') {
      const values = value[0] === '!' ? field.dataset.own.split('\n') : [value.slice(1)];
      (value[0] === '!' ? avoid : want).push({facet: field.name, values});
      said.push(label);
    } else if (field.dataset.kind === 'direction') {
      want.push({facet: field.name, direction: value});
      said.push(label);
    } else if (field.dataset.kind === 'high' && Number(value) >= 0) {
      want.push({facet: field.name, high: Number(value)});
      said.push(`${field.placeholder} ${value}`);
    }
  }
  send({do: 'like_form', item: form.dataset.item, title: form.dataset.title,
        want, avoid, said: said.join(', ')});
});
element.addEventListener('error', (event) => {
  // A picture that does not load becomes the tile that stands for none.
  if (event.target.tagName !== 'IMG') return;
  const tile = event.target.parentElement;
  tile.classList.add('at-none');
  tile.replaceChildren(Object.assign(document.createElement('span'), {textContent: tile.dataset.kind || ''}));
}, true);
const back = () => {
  const all = [...document.querySelectorAll('[data-do]')];
  return all.find((one) => one.dataset.do === window.atOpener) ?? document.querySelector('#at-box textarea');
};
let open = '';
watch('value', () => {
  // A panel that has just opened takes the focus, so that a keyboard or a reader is there too.
  if (!element.closest('#at-panel')) return;
  const panel = element.querySelector('.at-panel [tabindex="-1"]');
  const now = panel?.textContent ?? '';
  if (panel && now !== open) {
    panel.focus({preventScroll: true});
    panel.scrollIntoView({block: 'nearest', behavior: 'smooth'});
  } else if (!panel && open && document.activeElement === document.body) {
    back().focus({preventScroll: true});
  }
  open = now;
});
