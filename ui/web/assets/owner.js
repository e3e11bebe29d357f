// Before Gradio starts: says in words that the login has ended or the server is gone, and lets one
// log in again without leaving the page, so that what was typed stays. Times become local ones.
(() => {
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
    made.innerHTML = '<label>Password <input type="password" name="password" autocomplete="current-password" required></label>'
      + '<button type="submit">Log in again</button>';
    made.addEventListener('submit', async (event) => {
      event.preventDefault();
      const got = await plain('/owner/login', {method: 'POST', headers: {accept: 'application/json'},
                                               body: new URLSearchParams(new FormData(made))}).catch(() => null);
      if (got && got.ok) { clear(); return; }
      const told = got ? (await got.json()).error.message : 'The server cannot be reached.';
      say(told, true);
    });
    return made;
  };
  window.fetch = async (...asked) => {
    let got;
    try { got = await plain(...asked); } catch (error) {
      if (error.name !== 'AbortError')
        say('The server cannot be reached. What you typed stays; press again when it is back.', false);
      throw error;
    }
    if (got.status === 401) say('Your login has ended. What you typed stays: log in again, then press again.', true);
    else if (got.ok && !document.querySelector('#at-owner-door form')) clear();
    return got;
  };
  const local = () => {
    for (const one of document.querySelectorAll('time[datetime]:not([data-local])')) {
      one.dataset.local = '';
      const when = new Date(one.dateTime);
      if (isNaN(when)) continue;
      one.title = when.toLocaleString(undefined, {dateStyle: 'medium', timeStyle: 'short'});
      if (/\d{4}$/.test(one.textContent)) one.textContent = when.toLocaleDateString(undefined, {dateStyle: 'medium'});
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    new MutationObserver(local).observe(document.body, {childList: true, subtree: true});
    local();
  });
})();
