/** Functions that the scenarios run in the page. JavaScript, since Deno's type checker has no DOM types here. */

/**
 * Returns the class (or the tag) and the contrast of each kind of visible text whose contrast with its background is
 * below WCAG level AA.
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
 * Returns the HTML of the visible controls that have no accessible name, each truncated to 100 characters.
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

/** Returns the width of the page, in pixels. */
export function pageWidth() {
  return document.documentElement.scrollWidth;
}

/** Returns the `aria-label` of the focused element; an empty string if there is none. */
export function focusedLabel() {
  return document.activeElement?.getAttribute("aria-label") ?? "";
}

/** Returns the index of the focused message, from 0; -1 if no message has the focus. */
export function focusedMessage() {
  const messages = [...document.querySelectorAll(".message")];
  return messages.findIndex((message) => message === document.activeElement);
}

/** Checks whether a message of the agent has the focus. */
export function isAgentFocused() {
  return document.activeElement?.matches(".message.assistant") ?? false;
}

/** Checks whether the first row is no longer a conversation of four turns, the shortest one. */
export function isSortedAnew() {
  return document.querySelector("tbody .column-turns")?.textContent !== "4";
}

/**
 * Returns the direction of a text.
 * @param {Element} element
 */
export function directionOf(element) {
  return getComputedStyle(element).direction;
}

/** Returns the words of differences that wrap over more than one line. */
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
