import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type JsonObject,
  printPythonJson,
} from "../../../../env/python/python_json.ts";
import {
  parseQwen25,
  TOOL_CALL_END,
  TOOL_CALL_START,
} from "../../../../env/tokens/tool_calls/qwen25.ts";
import type { KnownTools } from "../../../../env/tokens/tool_calls/tool_call_format.ts";

const TOOLS: KnownTools = new Map([["pay", {}], ["look", {}]]);

/** Parses a text and returns each call as `name(parameters)`, with the parameters in Python's format. */
function calls(text: string, tools: KnownTools | undefined = TOOLS) {
  return parseQwen25(text, tools).calls.map(({ name, parameters }) =>
    `${name}(${printPythonJson(parameters, { ensureAscii: false })})`
  );
}

function block(json: string): string {
  return `${TOOL_CALL_START}${json}${TOOL_CALL_END}`;
}

Deno.test("parseQwen25() returns text without a marker unchanged", () => {
  for (
    const text of [
      "",
      "  Hello \n",
      '<tool_call>{"name": "pay", "arguments": {}}</tool_call>',
      "<tool_call> \n{}",
    ]
  ) {
    assert.deepEqual(parseQwen25(text, TOOLS), {
      normalText: text,
      calls: [],
      hasMarker: false,
      skipped: [],
    });
  }
});

Deno.test("parseQwen25() trims the text before the first call and drops the text after it", () => {
  const call = block('{"name": "look", "arguments": {}}');
  const parsed = parseQwen25(
    ` \u0085 Let me see.\x1c\n${call} and ${call} so`,
    TOOLS,
  );
  assert.equal(parsed.normalText, "Let me see.");
  assert.equal(parsed.calls.length, 2);
});

Deno.test("parseQwen25() strips like Python and keeps a byte order mark", () => {
  assert.equal(
    parseQwen25(`\uFEFF ${TOOL_CALL_START}`).normalText,
    "\uFEFF",
  );
});

Deno.test("parseQwen25() keeps Python's numbers and key order", () => {
  const args = '{"b": 200.0, "10": 1e3, "a": -0.0, "n": 12345678901234567890}';
  assert.deepEqual(calls(block(`{"name": "pay", "arguments": ${args}}`)), [
    'pay({"b": 200.0, "10": 1000.0, "a": -0.0, "n": 12345678901234567890})',
  ]);
});

Deno.test("parseQwen25() uses parameters if they are truthy in Python, else arguments", () => {
  const of = (rest: string) => calls(block(`{"name": "pay"${rest}}`));
  assert.deepEqual(of(', "parameters": {"a": 1}, "arguments": {"a": 2}'), [
    'pay({"a": 1})',
  ]);
  for (const empty of ["{}", "[]", '""', "0", "0.0", "-0.0", "false", "null"]) {
    assert.deepEqual(
      of(`, "parameters": ${empty}, "arguments": {"a": 2}`),
      ['pay({"a": 2})'],
      empty,
    );
  }
  assert.deepEqual(of(""), ["pay({})"]);
  assert.deepEqual(of(', "arguments": null'), ["pay(null)"]);
  assert.deepEqual(of(', "arguments": "{}"'), ['pay("{}")']);
});

Deno.test("parseQwen25() reads several blocks and arrays of calls, each in order", () => {
  const text = block(
    '[{"name": "pay", "arguments": {"n": 1}}, {"name": "look"}]',
  ) + "\n" + block('{"name": "pay", "arguments": {"n": 2}}');
  assert.deepEqual(calls(text), ['pay({"n": 1})', "look({})", 'pay({"n": 2})']);
});

Deno.test("parseQwen25() skips malformed blocks with a reason, and keeps later ones", () => {
  const parsed = parseQwen25(
    block('{"name": "pay", }') + block('{"name": "look"}'),
    TOOLS,
  );
  assert.deepEqual(parsed.calls.map(({ name }) => name), ["look"]);
  assert.match(parsed.skipped[0] ?? "", /^A call is not valid JSON: /);
  assert.equal(parsed.failure, undefined);
});

Deno.test("parseQwen25() returns no call for an unterminated block", () => {
  const parsed = parseQwen25(
    `Wait. ${TOOL_CALL_START}{"name": "pay", "arguments": {}}</tool_call>`,
    TOOLS,
  );
  assert.equal(parsed.normalText, "Wait.");
  assert.ok(parsed.hasMarker);
  assert.deepEqual(parsed.calls, []);
  assert.match(parsed.skipped[0] ?? "", /does not end/);
});

Deno.test("parseQwen25() extends an unterminated block to the end of the next one", () => {
  const parsed = parseQwen25(
    `${TOOL_CALL_START}{"name": "pay"}` + block('{"name": "look"}'),
    TOOLS,
  );
  assert.deepEqual(parsed.calls, []);
  assert.equal(parsed.skipped.length, 1);
});

Deno.test("parseQwen25() drops unknown tool names if the tools are given", () => {
  const text = block('{"name": "steal"}') + block('{"name": "look"}') +
    block('{"arguments": {}}') + block('{"name": 5}') + block('{"name": []}');
  assert.deepEqual(calls(text), ["look({})"]);
  assert.deepEqual(
    parseQwen25(text).calls.map(({ name }) => name),
    ["steal", "look"],
  );
  assert.deepEqual(parseQwen25(text, TOOLS).skipped, [
    'There is no tool named "steal"',
    "A call has no name",
    "A call has no name",
    "A call has no name",
  ]);
});

Deno.test("parseQwen25() fails as a whole if a block is not an object", () => {
  for (const json of ["5", '"pay"', "null", "true", "[1]", '{"name": [1]}']) {
    const parsed = parseQwen25(
      block('{"name": "look"}') + block(json),
      TOOLS,
    );
    assert.deepEqual(parsed.calls, [], json);
    assert.ok(parsed.failure, json);
  }
});

Deno.test("parseQwen25() restores calls from a template's rendering, for any arguments and text", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.boolean(),
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), value),
      fc.string(),
      (args, text) => {
        const given: JsonObject = new Map(Object.entries(args));
        const json = printPythonJson(given, { ensureAscii: false });
        const parsed = parseQwen25(
          text + block(`{"name": "pay", "arguments": ${json}}`),
          TOOLS,
        );
        assert.deepEqual(parsed.calls, [{ name: "pay", parameters: given }]);
      },
    ),
  );
});

Deno.test("parseQwen25() never throws and returns no call without a marker", () => {
  const piece = fc.constantFrom(
    TOOL_CALL_START,
    TOOL_CALL_END,
    "\n",
    "{",
    "}",
    '{"name": "pay"}',
    "[",
    "]",
    "1",
    '"',
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const text = pieces.join("");
    const parsed = parseQwen25(text, TOOLS);
    assert.equal(parsed.hasMarker, text.includes(TOOL_CALL_START));
    if (!parsed.hasMarker) assert.equal(parsed.calls.length, 0);
  }));
});
