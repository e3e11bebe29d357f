// Of each piece of the owner's pages: what is pressed, or sent with a form, goes to the server as its
// data-do says; what has opened takes the focus, and gives it back when it closes.
// `element`, `trigger` and `watch` are Gradio's; nothing here knows what an action means.
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button || !element.contains(button)) return;
  event.preventDefault();
  if (!button.closest('.at-panel')) window.atOwnerOpener = button.dataset.do;
  trigger('click', JSON.parse(button.dataset.do));
});
element.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-form]');
  if (!form) return;
  event.preventDefault();
  trigger('click', {do: form.dataset.form, fields: Object.fromEntries(new FormData(form))});
});
let open = '';
watch('value', () => {
  const at = element.querySelector('[data-at]')?.dataset.at;
  if (at) window.atOwnerAt?.({tab: null, ...Object.fromEntries(new URLSearchParams(at))});
  const head = element.querySelector('[data-opened]');
  const now = head?.dataset.opened ?? '';
  if (head && now !== open) {
    head.focus({preventScroll: true});
    head.scrollIntoView({block: 'nearest'});
  } else if (!head && open && document.activeElement === document.body) {
    const all = [...document.querySelectorAll('[data-do]')];
    all.find((one) => one.dataset.do === window.atOwnerOpener)?.focus({preventScroll: true});
  }
  open = now;
});
