// Makes elements. Text is always text: nothing here reads HTML, so that a guest's name is only a name.

export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) {
      element.addEventListener(key.slice(2), value);
    } else if (value === true) {
      element.setAttribute(key, '');
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children.filter(child => child !== null && child !== undefined)
    .map(child => child instanceof Node ? child : String(child)));
  return element;
}

/** Sets the text where it changed: a screen reader hears of changes alone, and a selection stays. */
export function say(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A list of figures by name, each updated in its place. */
export function figures(names) {
  const cells = new Map();
  const list = el('dl', {class: 'figures'});
  for (const name of names) {
    const value = el('dd', {}, '–');
    cells.set(name, value);
    list.append(el('div', {}, el('dt', {}, name), value));
  }
  return {list, set: (name, text) => say(cells.get(name), text)};
}

/** A table whose rows are kept by key, so that focus and selection survive an update. */
export function table(caption, heads) {
  const body = el('tbody');
  const none = el('p', {}, 'none');
  const whole = el('div', {class: 'wide'}, el('table', {}, el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...heads.map(head => el('th', {scope: 'col'}, head)))), body), none);
  const rows = new Map();
  return {
    element: whole,
    update(items, key, cellsOf) {
      const seen = new Set();
      items.forEach((item, at) => {
        const id = key(item);
        seen.add(id);
        let row = rows.get(id);
        const cells = cellsOf(item);
        if (!row) {
          row = el('tr', {}, ...cells.map(cell => el('td', {}, cell)));
          rows.set(id, row);
        } else {
          cells.forEach((cell, column) => {
            const old = row.cells[column];
            if (!(cell instanceof Node)) {
              say(old, String(cell));
            }
          });
        }
        if (body.rows[at] !== row) {
          body.insertBefore(row, body.rows[at] ?? null);
        }
      });
      for (const [id, row] of rows) {
        if (!seen.has(id)) {
          row.remove();
          rows.delete(id);
        }
      }
      none.hidden = items.length > 0;
    },
  };
}

/** Asks before something is done; resolves to whether it is wanted. */
export function ask(title, text) {
  const dialog = document.getElementById('question');
  say(document.getElementById('question-title'), title);
  say(document.getElementById('question-text'), text);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close',
    () => resolve(dialog.returnValue === 'yes'), {once: true}));
}
