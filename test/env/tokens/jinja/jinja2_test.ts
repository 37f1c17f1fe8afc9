import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CHAT_CONTEXTS,
  CHAT_TEMPLATES,
} from "../../../support/jinja_chat_templates.ts";
import { CONSTRUCTS, CONTEXT } from "../../../support/jinja_constructs.ts";
import {
  compareWithJinja2,
  type Comparison,
  type Group,
} from "../../../support/jinja2.ts";
import { withoutPython } from "../../../support/python.ts";

const ignore = withoutPython();
const NEEDS = "(needs Python with jinja2 3.1.6 and transformers)";

/** Templates that apply string methods and string filters to the variables `t` and `u`. */
const OF_TEXTS = [
  "[t, t.strip(), t.rstrip(), t.lstrip(), t.strip(u)]",
  "[t.split(), t.split(u[0]), t.rsplit(none, 1), t.split(none, 2), t.splitlines(), t.splitlines(true)]",
  "[t.upper(), t.lower(), t.title(), t.capitalize(), t | title, t | capitalize]",
  "[t | length, t[1:3], t[::-1], t[0], t[-1], t.find(u), t.rfind(u), t.count(u)]",
  "[t.replace(u, 'é'), t.replace('', u, 2), t.partition(u), t.rpartition(u), t.removeprefix(u)]",
  "[t | tojson, t | tojson(ensure_ascii=true), t | string, t ~ u, t < u, t == u, u in t]",
  "[t.center(9, '*'), t.ljust(5), t.zfill(6), '%5s|%.2s' % (t, u), '{:>5}|{:.2}'.format(t, u)]",
  "[t | indent, t | truncate(5), t | urlencode, t | wordcount, t | int, t | float, t | e]",
].map((expression) => `{{ ${expression} }}`);

/**
 * Returns contexts as JSON, each with two strings. The strings contain characters that Python and JavaScript may treat
 * differently, such as white space, line breaks, letters that change case, and characters outside the Basic
 * Multilingual Plane.
 */
function textContexts(): string[] {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        ..." \t\n\r\v\f\x1c\x85\xa0\u2028\u3000\ufeff-'\"\\<&aAbBß😀é1_.ᾲᾳᾼῂῄᾷŉǆǅﬁაς",
      ),
      fc.constantFrom("a", " ", "\r\n", "1"),
    ),
    maxLength: 12,
  });
  return fc.sample(fc.tuple(text, text), { numRuns: 300, seed: 7 })
    .map(([t, u]) => JSON.stringify({ t, u: u || "a" }));
}

const OF_NUMBERS = [
  "{{ [x, x | string, x | tojson, x | int, x | float, x | abs, x | round, x | round(2), -x, x == x | float] }}",
  "{{ '%d %5.1f %e %g %.3g %+.0f %010.2f %#.3g' % (x, x, x, x, x, x, x, x) }}",
  "{{ '{:.2f} {:e} {:g} {:,.1f} {:.3} {:%} {:>12.4g} {:+.0f}'.format(x, x, x, x, x | float, x, x, x) }}",
  "{{ [x + 1, x * 2, x - 0.5, x / 3, x // 3, x % 3, x // -0.7, x % -7, x % -0.5, x * x] }}",
];

function numberContexts(): string[] {
  const number = fc.oneof(
    fc.double({ noNaN: true }).filter((x) => Math.abs(x) < 1e60),
    fc.double({ min: -1000, max: 1000, noNaN: true }),
    fc.integer(),
    fc.constantFrom(0.5, 1.5, 2.5, 0.125, 2.675, 1e16, 1e-5, 123456789012345.6),
  );
  return fc.sample(number, { numRuns: 300, seed: 8 })
    .map((x) => `{"x": ${Object.is(x, -0) ? "-0.0" : x}}`);
}

/**
 * Returns the texts of the `*.jinja` files in the directory that `TAULAB_CHAT_TEMPLATES` names, keyed by file name.
 * Returns an empty object if the variable is not set.
 */
function templatesOfDirectory(): Record<string, string> {
  const directory = Deno.env.get("TAULAB_CHAT_TEMPLATES");
  if (!directory) return {};
  return Object.fromEntries(
    [...Deno.readDirSync(directory)]
      .filter(({ name }) => name.endsWith(".jinja"))
      .map(({ name }) => [name, Deno.readTextFileSync(`${directory}/${name}`)]),
  );
}

const TEMPLATES = { ...CHAT_TEMPLATES, ...templatesOfDirectory() };

type Kind = "constructs" | "texts" | "numbers" | "chats";

let asking: Promise<Record<Kind, Comparison>> | null = null;

/** Renders all test cases of this file with both implementations. Python runs only once, in a single process. */
function comparison(): Promise<Record<Kind, Comparison>> {
  const groups: Record<Kind, Group> = {
    constructs: { sources: CONSTRUCTS, contexts: [CONTEXT] },
    texts: { sources: OF_TEXTS, contexts: textContexts() },
    numbers: { sources: OF_NUMBERS, contexts: numberContexts() },
    chats: { sources: Object.values(TEMPLATES), contexts: CHAT_CONTEXTS },
  };
  return asking ??= compareWithJinja2(groups);
}

Deno.test({
  name: `JinjaTemplate renders each construct like jinja2 ${NEEDS}`,
  ignore,
  async fn() {
    const { compared, differences } = (await comparison()).constructs;
    assert.equal(compared, CONSTRUCTS.length);
    assert.deepEqual(differences, []);
  },
});

Deno.test({
  name: `JinjaTemplate processes texts of any characters like Python ${NEEDS}`,
  ignore,
  async fn() {
    const { compared, texts, differences } = (await comparison()).texts;
    assert.equal(compared, OF_TEXTS.length * 300);
    assert.ok(texts > compared / 2);
    assert.deepEqual(differences.slice(0, 3), []);
  },
});

Deno.test({
  name: `JinjaTemplate computes and formats numbers like Python ${NEEDS}`,
  ignore,
  async fn() {
    const { compared, texts, differences } = (await comparison()).numbers;
    assert.ok(texts > compared / 2);
    assert.deepEqual(differences.slice(0, 3), []);
  },
});

Deno.test({
  name:
    `JinjaTemplate renders chat templates like transformers, including those in TAULAB_CHAT_TEMPLATES ${NEEDS}`,
  ignore,
  async fn() {
    const { compared, texts, differences } = (await comparison()).chats;
    const count = Object.keys(TEMPLATES).length;
    assert.equal(compared, count * CHAT_CONTEXTS.length);
    assert.ok(texts > compared / 2, `${texts} of ${compared} give a text`);
    const names = new Map(
      Object.entries(TEMPLATES).map(([name, source]) => [source, name]),
    );
    assert.deepEqual(
      differences.map(({ source, ...rest }) => ({
        template: names.get(source),
        ...rest,
      })),
      [],
    );
  },
});
