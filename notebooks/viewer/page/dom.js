/** Creates elements. Text is inserted only as text nodes, so that text from a model can never become markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, unknown>} Properties */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Creates an element: `h("p.note", "text")`. The tag may include classes. Optional properties come before the children:
 * attributes by name (`false` and `null` omit one), and listeners such as `onclick`.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K | `${K}.${string}`} tag
 * @param {...(Properties | Child | Child[])} rest
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, ...rest) {
  const [name = "", ...classes] = tag.split(".");
  const element = document.createElement(/** @type {K} */ (name));
  return build(element, classes, rest);
}

/**
 * Creates an SVG element.
 * @param {string} tag
 * @param {...(Properties | Child | Child[])} rest
 */
export function svg(tag, ...rest) {
  const [name = "", ...classes] = tag.split(".");
  const element = document.createElementNS(SVG, name);
  return build(/** @type {SVGElement} */ (element), classes, rest);
}

/**
 * Creates a table that scrolls sideways.
 * @param {string} tag `table`, with its classes.
 * @param {string} label
 * @param {{ heads: Child[], rows: Child[] }} content Each head is text or a cell.
 */
export function scrollTable(tag, label, { heads, rows }) {
  const cells = heads.map((head) =>
    head instanceof Node ? head : h("th", { scope: "col" }, head)
  );
  return h(
    "div.scroll-x",
    { role: "region", tabindex: "0", "aria-label": label },
    h(
      /** @type {"table"} */ (tag),
      h("thead", h("tr", cells)),
      h("tbody", rows),
    ),
  );
}

/**
 * Creates a framed section with a heading.
 * @param {string} name Its class, and the beginning of its heading's id.
 * @param {string} title
 * @param {...(Child | Child[])} children
 */
export function panel(name, title, ...children) {
  const id = `${name}-title`;
  return h(
    /** @type {"section"} */ (`section.panel.${name}`),
    { "aria-labelledby": id },
    h("h2", { id }, title),
    ...children,
  );
}

/**
 * Creates a button with a keyboard shortcut.
 * @param {string} text
 * @param {string} key
 * @param {Properties} properties
 */
export function keyButton(text, key, properties) {
  return h(
    "button",
    { type: "button", "aria-keyshortcuts": key, ...properties },
    `${text} `,
    h("kbd", key),
  );
}

/**
 * Replaces the children of an element.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodesOf(children));
}

/**
 * Returns the element with the given id, which must exist.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new TypeError(`The page has no #${id}`);
  return element;
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {string[]} classes
 * @param {(Properties | Child | Child[])[]} rest
 */
function build(element, classes, rest) {
  if (classes.length > 0) element.setAttribute("class", classes.join(" "));
  const [first] = rest;
  const hasProperties = typeof first === "object" && first !== null &&
    !(first instanceof Node) && !Array.isArray(first);
  if (hasProperties) setAll(element, /** @type {Properties} */ (first));
  const children = hasProperties ? rest.slice(1) : rest;
  element.append(...nodesOf(/** @type {(Child | Child[])[]} */ (children)));
  return element;
}

/**
 * @param {Element} element
 * @param {Properties} properties
 */
function setAll(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") {
      element.addEventListener(
        name.slice(2),
        /** @type {EventListener} */ (value),
      );
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodesOf(children) {
  return children.flat().flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return typeof child === "number" ? [String(child)] : [child];
  });
}
