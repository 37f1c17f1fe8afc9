/** What the scenarios ask within the page. JavaScript, since Deno's programs know no document. */

/**
 * Texts whose contrast to what they stand on is less than WCAG's AA.
 * @returns {string[]}
 */
export function poorContrasts() {
  /** @param {string} color */
  const rgb = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  /** @param {number[]} color */
  const light = ([r = 0, g = 0, b = 0]) => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045
        ? share / 12.92
        : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  /**
   * @param {Element | null} element
   * @returns {number[]}
   */
  const ground = (element) => {
    if (element === null) return [255, 255, 255];
    const color = rgb(getComputedStyle(element).backgroundColor);
    return color.length === 4 && color[3] === 0
      ? ground(element.parentElement)
      : color;
  };
  /** @type {Set<string>} */
  const poor = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (
      element === null || node.textContent?.trim() === "" ||
      element.closest("svg, script, style, noscript, dialog") !== null ||
      !element.checkVisibility()
    ) continue;
    const a = light(rgb(getComputedStyle(element).color));
    const b = light(ground(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) {
      poor.add(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
    }
  }
  return [...poor];
}

/**
 * Controls that a screen reader has no name for.
 * @returns {string[]}
 */
export function unnamed() {
  const controls = [
    ...document.querySelectorAll(
      "a, button, input, select, [role=region], svg[role=img]",
    ),
  ];
  return controls.filter((control) => {
    const { labels } = /** @type {HTMLInputElement} */ (control);
    const name = control.getAttribute("aria-label") ??
      labels?.[0]?.textContent ??
      "";
    return control.checkVisibility() &&
      name + (control.textContent ?? "") === "";
  }).map((control) => control.outerHTML.slice(0, 100));
}

/** How wide the page is, in pixels. */
export function pageWidth() {
  return document.documentElement.scrollWidth;
}

/** What a screen reader calls what has the focus. */
export function focusedLabel() {
  return document.activeElement?.getAttribute("aria-label") ?? "";
}

/** Which message has the focus, from 0. */
export function focusedMessage() {
  const messages = [...document.querySelectorAll(".message")];
  return messages.findIndex((message) => message === document.activeElement);
}

/** Whether the agent's words have the focus. */
export function isAgentFocused() {
  return document.activeElement?.matches(".message.assistant") ?? false;
}

/** Whether the first row is no longer the shortest conversation. */
export function isSortedAnew() {
  return document.querySelector("tbody .column-turns")?.textContent !== "4";
}

/**
 * The direction in which a text runs.
 * @param {Element} element
 */
export function directionOf(element) {
  return getComputedStyle(element).direction;
}

/** The words of differences that go over more than one line. */
export function brokenWords() {
  const broken = [];
  for (const cell of document.querySelectorAll(".fields th, .fields td")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode;
      for (
        const word of (node.textContent ?? "").matchAll(/[\p{L}\p{N}_]+/gu)
      ) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const lines = new Set(
          [...range.getClientRects()].map(({ top }) => Math.round(top)),
        );
        if (lines.size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}
