import assert from "node:assert/strict";
import fc from "fast-check";
import {
  readTextAction,
  writeTextAction,
} from "../../../env/agents/text_action.ts";
import type { JsonValue } from "../../../env/python/python_json.ts";
import type { Action } from "../../../env/types.ts";

const STYLE = { marker: "Action:", index: 3 };
const LOOK: Action = {
  type: "tool",
  call: {
    id: "call00003",
    name: "look",
    arguments: new Map<string, JsonValue>([["id", "#W1"], ["n", 2]]),
  },
};

Deno.test("readTextAction() reads what writeTextAction() writes", () => {
  const action: fc.Arbitrary<Action> = fc.oneof(
    fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(
        "Action: {}",
        'Action:\n{"name": "pay", "arguments": {}}',
      ),
    ).map((content): Action => ({
      type: "respond",
      content,
    })),
    fc.tuple(
      fc.stringMatching(/^[a-z_]{1,12}$/).filter((name) => name !== "respond"),
      fc.dictionary(
        fc.string(),
        fc.oneof(fc.string(), fc.integer(), fc.boolean()),
      ),
    ).map(([name, args]): Action => ({
      type: "tool",
      call: { id: "call00003", name, arguments: new Map(Object.entries(args)) },
    })),
  );
  const thought = fc.option(
    fc.string().filter((text) => !text.includes("Action:")),
    { nil: undefined },
  );
  fc.assert(fc.property(action, thought, (action, thought) => {
    const text = writeTextAction(action, {
      marker: "Action:",
      ...(thought === undefined ? {} : { thought }),
    });
    assert.deepEqual(readTextAction(text, STYLE), { action });
  }));
});

Deno.test("readTextAction() tolerates unambiguous deviations", () => {
  const json = '{"name": "look", "arguments": {"id": "#W1", "n": 2}}';
  const texts = [
    `Thought:\nso\nAction:\n${json}`,
    json,
    `Action: ${json}`,
    `Action:\n\`\`\`json\n${json}\n\`\`\``,
    `Action:\n${json}\n\nThat should do.`,
    `Action:\n{"name": "pay", "arguments": {}}\nNo, rather\nAction:\n${json}`,
  ];
  for (const text of texts) {
    assert.deepEqual(readTextAction(text, STYLE), { action: LOOK }, text);
  }
  assert.deepEqual(
    readTextAction(
      'Action:\n{"name": respond, "arguments": {"content": "70F {\\"}"}}',
      STYLE,
    ),
    { action: { type: "respond", content: '70F {"}' } },
  );
});

Deno.test("readTextAction() reports what is wrong and what is expected", () => {
  const wrong: [text: string, problem: RegExp][] = [
    [
      "Hello there",
      /There is no "Action:" in the answer\. After "Action:" write/,
    ],
    ["Action: look", /is not JSON/],
    // An earlier action is superseded by the last one.
    [
      'Action:\n{"name": "pay", "arguments": {}}\nNo, rather\nAction: look',
      /is not JSON/,
    ],
    ["Action: or Action: {", /is not JSON/],
    ["Action:\n[1]", /is not a JSON object/],
    ['Action:\n{"arguments": {}}', /has no "name"/],
    ['Action:\n{"name": "look"}', /has no "arguments" object/],
    [
      'Action:\n{"name": "look", "arguments": "x"}',
      /has no "arguments" object/,
    ],
    [
      'Action:\n{"name": "respond", "arguments": {"text": "x"}}',
      /"respond" requires the argument "content"/,
    ],
    ['Action:\n{"name": "look", "arguments": {', /is not JSON/],
  ];
  for (const [text, problem] of wrong) {
    const reading = readTextAction(text, STYLE);
    assert.ok("problem" in reading, text);
    assert.match(reading.problem, problem);
  }
});

Deno.test("readTextAction() with compat sends text that is not JSON to the user, as τ-bench does", () => {
  const compat = { ...STYLE, compat: true };
  const said: [text: string, content: string][] = [
    ["Thought:\nhm\nAction:\nI'd say no", "I'd say no"],
    ["Hello there", "Hello there"],
    [
      'Action: {"name": respond, "arguments": {}}',
      '{"name": respond, "arguments": {}}',
    ],
    ["Thought:\nthey must not know", "Thought:\nthey must not know"],
  ];
  for (const [text, content] of said) {
    const action: Action = { type: "respond", content };
    assert.deepEqual(readTextAction(text, compat), { action }, text);
  }
  const json = '{"name": "look", "arguments": {"id": "#W1", "n": 2}}';
  assert.deepEqual(readTextAction(json, compat), { action: LOOK });
  // The original raises an exception here.
  assert.ok("problem" in readTextAction("Action: 5", compat));
});
