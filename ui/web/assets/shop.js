// What the page does by itself, once for each language: (words) => void. `words.waits` is shown
// while something that was typed waits for the turn before it, `words.server` when the server that
// gave out this page does not answer.
(words) => {
  const find = (selector) => document.querySelector(selector);
  const box = () => find('#at-box textarea');
  const read = document.createElement('div');
  read.id = 'at-read';
  read.className = 'at-only-read';
  read.setAttribute('role', 'status');
  document.body.append(read);

  // From what is pressed to its end; server and network are given a minute.
  let begun = 0;
  window.atWorking = () => Date.now() - begun < 65000 || find('[data-working]') !== null;
  window.atBegun = () => {
    begun = Date.now();
    setTimeout(alive, ASKED_MS, begun);
  };
  // A server that is gone says nothing: while something is under way it is asked for.
  const ASKED_MS = 1500;
  const alive = async (since) => {
    if (since !== begun || !window.atWorking()) return;
    try {
      await fetch(location.pathname, {method: 'HEAD', cache: 'no-store'});
      setTimeout(alive, ASKED_MS, since);
    } catch {
      if (since === begun) lost();
    }
  };
  const lost = () => {
    const status = find('#at-status p');
    status.textContent = words.server;
    status.className = 'at-status at-trouble';
    status.dataset.kept = '';
    delete status.dataset.working;
    find('.at-busy')?.classList.remove('at-busy');
    window.atDone();
  };
  let sent = '', told = '', spoken = '';
  window.atSaid = (text) => {
    window.atBegun();
    sent = text ?? '';
    put('');
    keep(sent);
  };
  // What is in the box outlives a reload, which Gradio does by itself when its server is back;
  // what was said before it is no draft any more.
  const DRAFT = 'attune-draft';
  const keep = (text) => {
    try { sessionStorage.setItem(DRAFT, text); } catch { /* more than a browser keeps */ }
  };
  document.addEventListener('input', (event) => {
    if (event.target.closest?.('#at-box')) keep(event.target.value);
  });
  window.atLoaded = () => {
    const draft = sessionStorage.getItem(DRAFT) ?? '';
    const last = [...document.querySelectorAll('#at-chat [data-testid=user]')].at(-1)?.textContent;
    if (draft && draft.trim() !== last?.trim() && !box().value) put(draft);
  };
  const put = (text) => {
    box().value = text;
    box().dispatchEvent(new Event('input', {bubbles: true}));
  };
  window.atDone = () => {
    begun = 0;
    const status = find('#at-status p');
    // What could not be sent is put back, before whatever was typed since.
    if (sent && status?.dataset.kept !== undefined) put([sent, box().value].filter(Boolean).join(' '));
    sent = '';
    keep(box().value);
    const answer = [...document.querySelectorAll('#at-chat [data-testid=bot]')].at(-1)?.textContent ?? '';
    const said = [status?.textContent ?? '', answer === spoken ? '' : answer].filter(Boolean).join(' ');
    if (said !== told) read.textContent = said;
    told = said;
    spoken = answer;
    const log = find('#at-chat [role=log]');
    log?.scrollTo({top: log.scrollHeight});
    const at = document.activeElement;
    if ((at === document.body || at?.id === 'at-send') && matchMedia('(pointer: fine)').matches) box().focus();
  };

  // Enter while words come: what is in the box is sent when they have come.
  let waits = false;
  const later = (event) => {
    if (!window.atWorking()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waits || !box().value.trim()) return;
    waits = true;
    find('#at-entry').dataset.waits = words.waits;
    read.textContent = words.waits;
    send();
  };
  const send = () => {
    if (window.atWorking()) { setTimeout(send, 50); return; }
    waits = false;
    delete find('#at-entry').dataset.waits;
    if (box().value.trim()) find('#at-send').click();
  };
  document.addEventListener('keydown', (event) => {
    const inside = event.target.closest?.('#at-box');
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && inside) later(event);
    if (event.key === 'Escape') find('.at-panel .at-close')?.click();
  }, true);
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('#at-send')) later(event);
  }, true);

  // The same person in another window: this one follows.
  window.addEventListener('storage', (event) => {
    if (event.key === 'attune-shop' && event.newValue !== event.oldValue) window.atSend?.({do: 'sync'});
  });
  // Words are read out once, when they have all come.
  new MutationObserver(() => {
    const log = find('#at-chat [role=log]');
    if (log && log.getAttribute('aria-live') !== 'off') log.setAttribute('aria-live', 'off');
  }).observe(document.body, {childList: true, subtree: true});
}
