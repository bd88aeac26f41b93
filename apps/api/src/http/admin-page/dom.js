/**
 * @typedef {Node | string | number | null | undefined | false | readonly Child[]} Child
 * @typedef {Record<string, string | number | boolean | null | undefined>} Attributes
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element. Texts become text nodes and nothing else: whatever tenants or upstream wrote can never become markup.
 * An attribute that is null, undefined or false is left out.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {readonly Child[]} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** @param {string} tag @param {Attributes} [attributes] @param {readonly Child[]} children */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 * @returns {E}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...nodesOf(children));
  return element;
}

/** @param {readonly Child[]} children @returns {Node[]} */
export function nodesOf(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    if (Array.isArray(child)) return nodesOf(child);
    return child instanceof Node ? [child] : [document.createTextNode(String(child))];
  });
}

/** What a person has set: the next rendering leaves it alone. `src`, since signed links change while the image does not. */
const OF_THE_PERSON = new Set(['open', 'value', 'checked', 'selected', 'src']);
/** @type {ReadonlySet<string>} */
const NOTHING = new Set();

/** @param {Node} node */
const keyOf = (node) => (node instanceof Element ? node.getAttribute('data-key') : null);

/**
 * Makes the children of `into` like `next`, and keeps every element that can stay: focus, selection, open details and what
 * was typed outlive a refresh. Elements with a `data-key` are found again by it, others by their place.
 * @param {Element} into
 * @param {readonly Node[]} next
 */
export function morph(into, next) {
  const keys = new Set(next.map(keyOf));
  for (const old of [...into.childNodes]) if (keyOf(old) !== null && !keys.has(keyOf(old))) old.remove();
  const byKey = new Map([...into.childNodes].map((node) => [keyOf(node), node]));
  let place = into.firstChild;
  for (const node of next) {
    const key = keyOf(node);
    const same = key === null ? place : byKey.get(key);
    if (same && same.nodeName === node.nodeName && keyOf(same) === key) {
      if (same !== place) into.insertBefore(same, place);
      patch(same, node);
      place = same.nextSibling;
    } else into.insertBefore(node, place);
  }
  while (place !== null) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

/** @param {Node} old @param {Node} next */
function patch(old, next) {
  if (!(old instanceof Element && next instanceof Element)) {
    if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
    return;
  }
  const mine = old.matches('progress, meter') ? NOTHING : OF_THE_PERSON;
  for (const { name } of [...old.attributes]) if (!(next.hasAttribute(name) || mine.has(name))) old.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (!mine.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (!old.matches('textarea')) morph(old, [...next.childNodes]);
}
