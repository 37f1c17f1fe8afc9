/** Keyboard shortcuts, and the dialog that lists them. */

import { h } from "./dom.js";

const HELP = /** @type {const} */ ([
  ["Everywhere", [
    ["?", "show these shortcuts"],
    ["Esc", "go back to the table or the runs, or close the open dialog"],
  ]],
  ["Runs", [["j k", "next, previous run"], ["Enter", "open it"]]],
  ["Episodes", [
    ["j k ↓ ↑", "next, previous episode"],
    ["Enter", "open it"],
    ["/", "search all messages"],
  ]],
  ["An episode", [
    ["← →", "previous, next episode of the filtered table"],
    ["j k", "next, previous message"],
    ["Enter", "fold or unfold the message"],
    ["o", "fold or unfold all"],
    ["t", "tokens, colored by loss mask and probability"],
    ["s", "the group side by side"],
  ]],
]);

/**
 * Listens for keyboard shortcuts for the lifetime of the page.
 * @param {() => Readonly<Record<string, (event: KeyboardEvent) => void>>} keysOf Returns the shortcuts of the current
 * view.
 * @returns {{ showHelp: () => void }}
 */
export function listenForKeys(keysOf) {
  const dialog = helpDialog();
  document.body.append(dialog);
  document.addEventListener("keydown", (event) => {
    if (
      event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented
    ) return;
    if (dialog.open) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
      target.getAttribute("type") !== "checkbox";
    if (isTyping && event.key !== "Escape") return;
    // Links, buttons and folds handle Enter themselves.
    if (
      event.key === "Enter" && /^(A|BUTTON|SUMMARY|INPUT)$/.test(target.tagName)
    ) return;
    // In a region that scrolls sideways, arrows scroll.
    if (event.key.startsWith("Arrow") && target.closest(".scroll-x") !== null) {
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    const action = keysOf()[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action(event);
  });
  return { showHelp: () => dialog.showModal() };
}

function helpDialog() {
  const dialog = h(
    "dialog.help",
    { "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, "Keys"),
    HELP.map(([where, keys]) => [
      h("h3", where),
      h(
        "dl",
        keys.map(([names, does]) =>
          h(
            "div",
            h("dt", names.split(" ").map((name) => h("kbd", name))),
            h("dd", does),
          )
        ),
      ),
    ]).flat(),
    h("form", { method: "dialog" }, h("button", { autofocus: true }, "Close")),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  // The page's security policy forbids submitting forms; closing does not need it.
  dialog.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  return dialog;
}
