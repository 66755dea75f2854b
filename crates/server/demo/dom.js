// Making and updating elements. Text is only ever set as text, so nothing that a user wrote becomes markup.

/**
 * Makes an element. Properties that begin with `on` are listeners, `class` and names with a dash are attributes, the
 * rest are properties of the element. What is null or false is left out.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class' || name === 'role' || name.includes('-')) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element with an id, which is in the page. */
export function byId(id) {
  return document.getElementById(id);
}

const stamps = new WeakMap();

/**
 * Makes the children of `container` show `items`, in their order, and leaves alone what did not change.
 *
 * `key` names an item; `stamp` lists what it is shown by: an element is built anew only when one of these is another.
 * The focus stays where it was, even inside of an element that is built anew.
 */
export function renderList(container, items, { key, stamp, build }) {
  const wanted = new Map(items.map((item) => [key(item), item]));
  const known = new Map();
  for (const child of [...container.children]) {
    if (wanted.has(child.dataset.key)) known.set(child.dataset.key, child);
    else child.remove();
  }
  let place = container.firstElementChild;
  for (const [itemKey, item] of wanted) {
    const was = known.get(itemKey);
    const parts = stamp(item);
    let element = was;
    if (!was || stamps.get(was).some((part, index) => part !== parts[index])) {
      element = build(item);
      element.dataset.key = itemKey;
      stamps.set(element, parts);
      if (was) replace(was, element);
      if (was && place === was) place = element;
    }
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
}

function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  fresh.tabIndex = old.tabIndex;
  old.replaceWith(fresh);
  if (!focused) return;
  const same = focused.dataset.action && fresh.querySelector(`[data-action="${focused.dataset.action}"]`);
  (same || fresh).focus({ preventScroll: true });
}

/** The text with its web addresses as links. */
export function linked(text) {
  // With a group, split gives the addresses at the odd places.
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/).map((part, index) =>
    index % 2 === 0 ? part : el('a', { href: part, target: '_blank', rel: 'noopener noreferrer' }, part),
  );
}
