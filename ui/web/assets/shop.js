// What the page does by itself, once for each language: (words) => void. `words.waits` is shown
// while something that was typed waits for the turn before it, `words.server` when the server that
// gave out this page does not answer, `words.offline` when there is no network, `words.broken` when
// Gradio reports an error of its own; the others name who spoke, and the verdicts.
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
  const answers = async () => {
    try {
      await fetch(location.pathname, {method: 'HEAD', cache: 'no-store'});
      return true;
    } catch { return false; }
  };
  const alive = async (since) => {
    if (since !== begun || !window.atWorking()) return;
    if (await answers()) setTimeout(alive, ASKED_MS, since);
    else if (since === begun) trouble(navigator.onLine ? words.server : words.offline);
  };
  // What the status said before a trouble that passes by itself is said again.
  let before = null;
  const trouble = (said) => {
    const status = find('#at-status p');
    if (!status || status.textContent === said) return;
    before ??= {text: status.textContent, style: status.className, working: 'working' in status.dataset};
    status.textContent = said;
    status.className = 'at-status at-trouble';
    status.dataset.kept = '';
    delete status.dataset.working;
    find('.at-busy')?.classList.remove('at-busy');
    window.atDone();
    back();
  };
  const back = async () => {
    if (!before) return;
    if (!await answers()) { setTimeout(back, ASKED_MS); return; }
    const status = find('#at-status p');
    // A server that was started again knows nothing of this page: what is said to it would be lost.
    if (status?.textContent === words.server) { location.reload(); return; }
    if (status?.textContent === words.offline) {
      status.textContent = before.working ? '' : before.text;
      status.className = before.working ? 'at-status' : before.style;
    }
    before = null;
  };
  window.addEventListener('offline', () => trouble(words.offline));
  window.addEventListener('online', () => back());
  let sent = '', told = '', spoken = '';
  window.atSaid = (text) => {
    window.atBegun();
    window.atPressed = undefined;
    sent = text ?? '';
    put('');
    keep(sent);
  };
  // What is in the box outlives a reload, which is made when the page's server is back;
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
    focus();
  };
  // What was pressed was drawn anew and lost the focus: it has it again, and where it is gone, the
  // box, except on a phone, whose keyboard would cover half of what has come.
  const focus = () => {
    const at = document.activeElement;
    if (at !== document.body && at?.id !== 'at-send') return;
    const all = [...document.querySelectorAll('button[data-do]')];
    const same = window.atPressed && all.find((one) => one.dataset.do === window.atPressed);
    if (same) same.focus({preventScroll: true});
    else if (matchMedia('(pointer: fine)').matches) box().focus({preventScroll: true});
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

  // The windows of one browser follow each other: what was said in the conversation that they have
  // in common, what was saved, which conversations there are. What a page begins with is no news.
  const others = new BroadcastChannel('attune-shop');
  let mine;
  const tell = () => {
    const now = find('[data-shared]')?.dataset.shared;
    if (!now || now === mine) return;
    if (mine !== undefined) others.postMessage(now);
    mine = now;
  };
  others.addEventListener('message', ({data}) => {
    if (data === mine) return;
    const theirs = JSON.parse(data), own = JSON.parse(mine ?? '{}');
    const same = (name) => JSON.stringify(theirs[name]) === JSON.stringify(own[name]);
    const news = !['person', 'saved', 'talks'].every(same)
      || (theirs.session === own.session && theirs.turns !== own.turns);
    if (news) window.atSend?.({do: 'sync', shared: theirs});
  });
  // What Gradio calls things, in the words of the page.
  const name = () => {
    const call = (one, label) => {
      if (one.getAttribute('aria-label') === label) return;
      one.setAttribute('aria-label', label);
      if (one.title) one.title = label;
    };
    for (const one of document.querySelectorAll('#at-chat [data-testid=user], #at-chat [data-testid=bot]')) {
      one.setAttribute('role', 'group');
      call(one, one.dataset.testid === 'user' ? words.you : words.shop);
    }
    const log = find('#at-chat [role=log]');
    if (log) call(log, words.chat);
    for (const one of document.querySelectorAll('#at-chat .message-buttons button')) {
      const label = one.getAttribute('aria-label') ?? '';
      if (!/liked?$/i.test(label)) continue;
      one.setAttribute('aria-pressed', String(/d$|^clicked/i.test(label)));
      call(one, /dislike/i.test(label) ? words.down : words.up);
    }
  };
  new MutationObserver(() => {
    // Words are read out once, when they have all come.
    const log = find('#at-chat [role=log]');
    if (log && log.getAttribute('aria-live') !== 'off') log.setAttribute('aria-live', 'off');
    name();
    // Gradio's own messages are English and cover the page; what they tell is said here.
    const toast = find('[data-testid=toast-body].error:not([data-told])');
    if (toast) {
      toast.dataset.told = '';
      answers().then((there) => {
        if (there) trouble(words.broken);
        else trouble(navigator.onLine ? words.server : words.offline);
      });
    }
    tell();
  }).observe(document.body, {childList: true, subtree: true, attributes: true,
                             attributeFilter: ['data-shared', 'aria-live', 'aria-label', 'class']});
}
