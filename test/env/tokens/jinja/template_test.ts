import assert from "node:assert/strict";
import process from "node:process";
import { parsePythonJson } from "../../../../env/python/python_json.ts";
import { JinjaError } from "../../../../env/tokens/jinja/template_error.ts";
import { JinjaTemplate } from "../../../../env/tokens/jinja/template.ts";
import type { Value } from "../../../../env/tokens/jinja/values.ts";
import { CHAT_TEMPLATES } from "../../../support/jinja_chat_templates.ts";

function render(source: string, context = "{}"): string {
  const variables = parsePythonJson(context) as Map<string, Value>;
  return new JinjaTemplate(source).render(variables);
}

function failure(source: string, context = "{}"): JinjaError {
  try {
    render(source, context);
  } catch (error) {
    if (error instanceof JinjaError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `"${source}" was rendered` });
}

Deno.test("JinjaTemplate prints values like Python", () => {
  const context =
    '{"v": [true, null, 1.0, 1e22, 12345678901234567890, "it\'s", {"10": 1, "2": 0.5}]}';
  assert.equal(
    render("{{ v }}", context),
    `[True, None, 1.0, 1e+22, 12345678901234567890, "it's", {'10': 1, '2': 0.5}]`,
  );
  assert.equal(
    render("{{ v | tojson }}", context),
    '[true, null, 1.0, 1e+22, 12345678901234567890, "it\'s", {"10": 1, "2": 0.5}]',
  );
  assert.equal(render("{{ none | string ~ true ~ 1.0 }}"), "NoneTrue1.0");
});

Deno.test("JinjaTemplate normalizes CRLF and trims blocks", () => {
  assert.equal(
    render("a\r\n  {% if true %}\r\nb\r\n  {% endif %}\r\nc\r\n"),
    "a\nb\nc",
  );
});

Deno.test("JinjaTemplate reports the line of an error, in and after macros", () => {
  for (
    const [source, kind, line] of [
      ["a\n{{ x.y }}", "undefined", 2],
      [
        "{% macro m() %}\n\n{{ 1 + 'a' }}\n{% endmacro %}\n{{ m() }}",
        "type",
        3,
      ],
      ["{% macro m() %}\n\n{% endmacro %}\n{{ m() ~ x.y }}", "undefined", 4],
      ["\n\n{{ raise_exception('no') }}", "raised", 3],
      ["\n{% if %}", "syntax", 2],
      ["\n\n{{ 1 | nope }}", "syntax", 3],
      ["{% for x in [1] %}\n{{ x }}", "syntax", 2],
      ["{%- set a = [\n1] -%}\n\n{{ 'a' }", "syntax", 4],
    ] as const
  ) {
    const error = failure(source);
    assert.deepEqual([error.kind, error.line], [kind, line], source);
  }
});

Deno.test("JinjaTemplate keeps no state between renderings", () => {
  const template = new JinjaTemplate(
    "{% set ns = namespace(n=0) %}{% for i in items %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}{{ late }}{% set late = 1 %}",
  );
  const items = (values: number[]) => new Map([["items", values]]);
  assert.equal(template.render(items([1, 2])), "3");
  assert.equal(template.render(items([5])), "5");
});

Deno.test("JinjaTemplate shows the given time", () => {
  const template = new JinjaTemplate(
    "{{ strftime_now('%d %b %Y, %A, %-d %B, %H:%M, %j %U %V') }}",
  );
  const now = new Date(2024, 0, 6, 7, 5);
  assert.equal(
    template.render(new Map(), { now }),
    "06 Jan 2024, Saturday, 6 January, 07:05, 006 00 01",
  );
});

Deno.test("JinjaTemplate does not modify its variables", () => {
  const tools = [new Map<Value, Value>([["b", 1], ["a", [2]]])];
  const variables = new Map<string, Value>([["tools", tools]]);
  const template = new JinjaTemplate(
    "{% set tools = tools + [1] %}{{ tools | tojson }}{{ tools[0] | dictsort }}",
  );
  const text = "[{\"b\": 1, \"a\": [2]}, 1][('a', [2]), ('b', 1)]";
  assert.equal(template.render(variables), text);
  assert.equal(template.render(variables), text);
  assert.deepEqual(tools, [new Map<Value, Value>([["b", 1], ["a", [2]]])]);
});

/** Templates that would take hours or gigabytes because of nested loops, or because values grow exponentially. */
const ENDLESS = [
  "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
  "{% for a in range(100000) %}{% for b in range(100000) %}xxxx{% endfor %}{% endfor %}",
  "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
  "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
  "{% set ns = namespace(s=['x']) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
  "{% set ns = namespace(s=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
  "{% set ns = namespace(s=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
  "{% set ns = namespace(s=[], t=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
  "{% set ns = namespace(s=[]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
  "{% set ns = namespace(s=[]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s | tojson }}",
  "{% set ns = namespace(n=3) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
  "{{ 2 ** 1000000000 }}",
  "{{ 'x' * 1000000000 }}",
  "{{ ['x'] * 1000000000 }}",
  "{{ '%999999999d' % 1 }}",
  "{{ '{:999999999}'.format(1) }}",
  "{{ 'a'.center(1000000000) }}",
  "{{ 'a' | indent(1000000000) }}",
  "{{ 'a\tb'.expandtabs(1000000000) }}",
  "{{ [1] | batch(1000000000, 'x') | list }}",
  "{{ [1] | slice(1000000000) | list }}",
  "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}",
  "{{ ('y' * 1000000).join('x' * 1000000) }}",
  "{% set s = 'ab ' * 300000 %}{% for i in range(100000) %}{% set t = s.split() %}{% endfor %}",
  "{% set s = 'ab ' * 300000 %}{% for i in range(100000) %}{% set t = s | upper %}{% endfor %}",
  "{% set l = range(100000) | list %}{% for i in l %}{{ -1 in l }}{% endfor %}",
  "{{ range(100000) | unique | list | length }}",
  "{{ ('<' * 1000000) | e | forceescape | forceescape }}",
  "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
  "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(150) }}",
  "{% for t in [1] recursive %}{{ loop([1]) }}{% endfor %}",
  "{{ range(100001) }}",
];

Deno.test("JinjaTemplate stops endless templates within seconds", () => {
  for (const source of ENDLESS) {
    const began = process.cpuUsage().user;
    assert.equal(failure(source).kind, "limit", source);
    const ms = (process.cpuUsage().user - began) / 1000;
    assert.ok(ms < 10_000, `${source} took ${ms} ms`);
  }
});

Deno.test("JinjaTemplate parses or rejects long and deeply nested sources", () => {
  const n = 30_000;
  for (
    const source of [
      "(".repeat(n) + "1" + ")".repeat(n),
      "[".repeat(n) + "]".repeat(n),
      "not ".repeat(n) + "1",
      "-".repeat(n) + "1",
      "1 + ".repeat(n) + "1",
      "1 and ".repeat(n) + "1",
      "1" + " | string".repeat(n),
      "x" + ".a".repeat(n),
      "a if b else ".repeat(n) + "1",
      "'" + "\\".repeat(n + 1),
      "1_".repeat(n),
    ]
  ) assert.ok(failure(`{{ ${source} }}`) instanceof JinjaError);
  for (
    const tags of [
      "{% if a %}".repeat(n),
      "{% raw %}".repeat(n),
      "{#".repeat(n),
      "{%-".repeat(n),
      "{{".repeat(n),
      "{% raw %}" + "{% endraw".repeat(n),
    ]
  ) assert.equal(failure(tags).kind, "syntax", tags.slice(0, 20));
  assert.equal(
    render(
      "{% if x %}a" + "{% elif x %}b".repeat(n) + "{% else %}c{% endif %}",
    ),
    "c",
  );
});

Deno.test("JinjaTemplate renders a conversation of a million tokens within its limits", () => {
  const turn = `{"role": "user", "content": "${
    "question ".repeat(200)
  }"}, {"role": "assistant", "content": "${"answer ".repeat(250)}"}`;
  const context = `{"messages": [${
    Array.from({ length: 1000 }, () => turn).join(", ")
  }], "tools": null, "add_generation_prompt": true, "bos_token": ""}`;
  const text = render(CHAT_TEMPLATES["qwen3"]!, context);
  assert.ok(text.length > 3_500_000);
});
