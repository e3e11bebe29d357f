// Before Gradio starts: says in words that the login has ended or the server is gone, and lets one
// log in again without leaving the page, so that what was typed stays. Times become local ones; the
// address says which tab and turn is open, so that it can be sent to others. `words` are the page's.
(words) => {
  const plain = window.fetch.bind(window);
  const strip = () => {
    let box = document.getElementById('at-owner-door');
    if (!box) {
      box = document.createElement('div');
      box.id = 'at-owner-door';
      box.setAttribute('role', 'alert');
      document.body.prepend(box);
    }
    return box;
  };
  const say = (words, again) => {
    const box = strip();
    if (box.dataset.words === words) return;
    box.dataset.words = words;
    box.replaceChildren(Object.assign(document.createElement('p'), {textContent: words}));
    if (again) box.append(form());
  };
  const clear = () => document.getElementById('at-owner-door')?.remove();
  const form = () => {
    const made = document.createElement('form');
    made.innerHTML = '<label><span></span> <input type="password" name="password" autocomplete="current-password" required></label>'
      + '<button type="submit"></button>';
    made.querySelector('span').textContent = words.password;
    made.querySelector('button').textContent = words.again;
    made.addEventListener('submit', async (event) => {
      event.preventDefault();
      const door = '/owner/login?' + new URLSearchParams({to: location.pathname});
      const got = await plain(door, {method: 'POST', headers: {accept: 'application/json'},
                                               body: new URLSearchParams(new FormData(made))}).catch(() => null);
      if (got && got.ok) { clear(); return; }
      const told = got ? (await got.json()).error.message : words.server;
      say(told, true);
    });
    return made;
  };
  window.fetch = async (...asked) => {
    let got;
    try { got = await plain(...asked); } catch (error) {
      if (error.name !== 'AbortError')
        say(words.server_typed, false);
      throw error;
    }
    if (got.status === 401) say(words.ended, true);
    else if (got.ok && !document.querySelector('#at-owner-door form')) clear();
    return got;
  };
  const local = () => {
    for (const one of document.querySelectorAll('time[datetime]:not([data-local])')) {
      one.dataset.local = '';
      const when = new Date(one.dateTime);
      if (isNaN(when)) continue;
      one.title = when.toLocaleString(undefined, {dateStyle: 'medium', timeStyle: 'short'});
      if ('date' in one.dataset) one.textContent = when.toLocaleDateString(undefined, {dateStyle: 'medium'});
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    new MutationObserver(local).observe(document.body, {childList: true, subtree: true});
    local();
  });
  // A tab that opens by itself, as the page does, leaves the address as it is.
  let touched = false;
  for (const name of ['pointerdown', 'keydown'])
    addEventListener(name, () => { touched = true; }, {capture: true, once: true});
  window.atOwnerTab = (tab) => { if (touched) window.atOwnerAt({tab}); };
  // Changes the address without leaving the page: a value that is null is taken out of it.
  window.atOwnerAt = (changes) => {
    const now = new URL(location);
    for (const [name, value] of Object.entries(changes))
      value === null ? now.searchParams.delete(name) : now.searchParams.set(name, value);
    history.replaceState(history.state, '', now);
  };
}
