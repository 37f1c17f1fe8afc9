/** Filter controls for the table. They edit and show the query in the URL. */

import { fill, h } from "./dom.js";
import { FIELDS } from "./fields.js";
import { readExpression, readQuery } from "./filter.js";
import { count, words } from "./format.js";
import { withParam } from "./shell.js";

/** @typedef {import("../protocol.ts").Facets} FilterFacets */

/** The filters to offer first, because they are used most often. The others follow in the order of the fields. */
const FIRST = ["reward", "reason", "intent"];

const SELECTS = Object.entries(FIELDS)
  .flatMap(([field, { choice }]) =>
    choice === undefined ? [] : [/** @type {const} */ ([field, choice])]
  )
  .sort(([a], [b]) => rankOf(a) - rankOf(b));

const OWN_CONTROL = new Set([
  "step",
  "task",
  ...SELECTS.map(([field]) => field),
]);

/**
 * @param {object} options
 * @param {(params: URLSearchParams, how: { isTyping: boolean }) => void} options.onChange
 * @returns {{ element: HTMLElement, show: (params: URLSearchParams) => void, offer: (facets: FilterFacets) => void, focusSearch: () => void }}
 */
export function filterBar({ onChange }) {
  let params = new URLSearchParams();
  const search = input("search", "Search all messages", "text");
  const step = input("text", "40, 40..50, >40", "step");
  const task = input("text", "part of a task’s name", "task");
  const condition = h("input", {
    type: "text",
    placeholder: "turns>8",
    "aria-describedby": "condition-help",
    spellcheck: "false",
    autocomplete: "off",
  });
  const problem = h("span.bad-text", { role: "status" });
  const chips = h("ul.chips", { "aria-label": "Further conditions" });
  const selects = SELECTS.map(([field, label]) => {
    const select = h("select", {
      "data-field": field,
      onchange: () => set(field, select.value),
    });
    return { field, label, select };
  });
  const summary = h("summary", "Filters");

  search.addEventListener(
    "input",
    later(() => set("text", search.value, true)),
  );
  step.addEventListener("change", () => set("step", step.value.trim()));
  task.addEventListener(
    "input",
    later(() =>
      set("task", task.value.trim() === "" ? "" : `~${task.value.trim()}`, true)
    ),
  );
  condition.addEventListener("keydown", (event) => {
    if (event.key === "Enter") addCondition();
  });

  /**
   * @param {string} field
   * @param {string} value
   * @param {boolean} [isTyping]
   */
  function set(field, value, isTyping = false) {
    onChange(withParam(params, field, value), { isTyping });
  }

  function addCondition() {
    try {
      const next = new URLSearchParams(params);
      for (const [field, value] of readExpression(condition.value)) {
        next.append(field, value);
      }
      readQuery(next);
      condition.value = "";
      problem.textContent = "";
      onChange(next, { isTyping: false });
    } catch (error) {
      problem.textContent = error instanceof Error
        ? error.message
        : String(error);
    }
  }

  /** @param {URLSearchParams} shown */
  function show(shown) {
    params = shown;
    put(search, shown.get("text") ?? "");
    put(step, shown.get("step") ?? "");
    put(task, (shown.get("task") ?? "").replace(/^~/, ""));
    for (const { field, select } of selects) {
      choose(select, shown.getAll(field).join(","));
    }
    const others = [...shown].filter(([key]) =>
      Object.hasOwn(FIELDS, key) && !OWN_CONTROL.has(key)
    );
    fill(chips, others.map(([key, value]) => h("li", chip(key, value))));
    const active =
      [...shown.keys()].filter((key) => Object.hasOwn(FIELDS, key)).length;
    summary.textContent = active === 0 ? "Filters" : `Filters (${active})`;
    clear.hidden = active === 0 && !shown.has("text");
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  function chip(key, value) {
    const text = /^[<>!~]/.test(value)
      ? `${words(key)} ${value}`
      : `${words(key)} = ${value}`;
    return h(
      "button",
      {
        type: "button",
        class: "chip",
        title: "Remove this condition",
        onclick: () => {
          const next = new URLSearchParams(params);
          next.delete(key, value);
          onChange(next, { isTyping: false });
        },
      },
      text,
      h("span", { "aria-hidden": "true" }, " ×"),
    );
  }

  /** @param {FilterFacets} facets */
  function offer(facets) {
    for (const { field, label, select } of selects) {
      const values = facets[field] ?? [];
      const wanted = params.getAll(field).join(",");
      const options = values.map(({ value, count: n }) => {
        const text = value === null
          ? (field === "reward" ? "not scored" : "none")
          : words(String(value));
        return h(
          "option",
          { value: value === null ? "none" : String(value) },
          `${text} (${count(n)})`,
        );
      });
      fill(select, h("option", { value: "" }, "any"), options);
      choose(select, wanted);
      // Hides fields without values in this run.
      const isIdle = values.every(({ value }) => value === null) &&
        wanted === "";
      /** @type {HTMLElement} */ (select.parentElement).hidden = isIdle;
      select.setAttribute("aria-label", label);
    }
  }

  const clear = h("button", {
    type: "button",
    class: "quiet",
    onclick: () => {
      const sort = params.get("sort") ?? "";
      onChange(withParam(new URLSearchParams(), "sort", sort), {
        isTyping: false,
      });
    },
  }, "Clear all");
  const controls = h(
    "div.controls",
    selects.map(({ label, select }) => h("label", h("span", label), select)),
    h("label", h("span", "Step"), step),
    h("label", h("span", "Task"), task),
    h("label", h("span", "Condition"), condition),
    h(
      "span",
      { id: "condition-help", class: "sr" },
      `Fields: ${Object.keys(FIELDS).join(", ")}. Enter adds the condition`,
    ),
  );
  const details = h(
    "details.filters",
    { open: !matchMedia("(max-width: 640px)").matches },
    summary,
    controls,
  );
  const element = h(
    "search.filter-bar",
    { "aria-label": "Filter the episodes" },
    h(
      "label.search",
      h("span.sr", "Search all messages"),
      search,
      h("kbd", { "aria-hidden": "true" }, "/"),
    ),
    details,
    h("div.filter-foot", chips, clear, problem),
  );
  return { element, show, offer, focusSearch: () => search.focus() };
}

/**
 * @param {string} type
 * @param {string} placeholder
 * @param {string} field
 */
function input(type, placeholder, field) {
  return h("input", {
    type,
    placeholder,
    "data-field": field,
    spellcheck: "false",
    autocomplete: "off",
  });
}

/**
 * Shows a value, unless the user is typing in the element.
 * @param {HTMLInputElement} element
 * @param {string} text
 */
function put(element, text) {
  if (document.activeElement !== element) element.value = text;
}

/**
 * Selects a value, adding it if it is not among the options.
 * @param {HTMLSelectElement} select
 * @param {string} wanted
 */
function choose(select, wanted) {
  const has = [...select.options].some(({ value }) => value === wanted);
  if (!has) {
    select.append(
      h("option", { value: wanted }, wanted === "" ? "any" : wanted),
    );
  }
  select.value = wanted;
}

/**
 * Delays an action until the user stops typing.
 * @param {() => void} action
 */
function later(action) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, 120);
  };
}

/** @param {string} field */
function rankOf(field) {
  const at = FIRST.indexOf(field);
  return at < 0 ? FIRST.length : at;
}
