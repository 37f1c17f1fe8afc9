import assert from "node:assert/strict";
import fc from "fast-check";
import { TOOL_CALL_PARSERS } from "../../../../env/tokens/tool_calls/parse_tool_calls.ts";
import {
  knownTools,
  TOOL_CALL_FORMATS,
  type ToolCallFormat,
} from "../../../../env/tokens/tool_calls/tool_call_format.ts";
import {
  brokenTexts,
  CALL_TOOLS,
  piecesOf,
  wholeTexts,
} from "../../../support/tool_call_texts.ts";

const TOOLS = knownTools(CALL_TOOLS);

for (const format of TOOL_CALL_FORMATS) {
  const parse = TOOL_CALL_PARSERS[format];

  Deno.test(`TOOL_CALL_PARSERS.${format} never throws, and returns no call without a marker`, () => {
    const texts = fc.oneof(
      brokenTexts(format),
      wholeTexts(format),
      fc.string({ unit: "binary", maxLength: 200 }),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(TOOLS, undefined), (text, tools) => {
        const { calls, failure, hasMarker, normalText } = parse(text, tools);
        if (!hasMarker) assert.equal(normalText, text);
        if (!hasMarker || failure !== undefined) assert.deepEqual(calls, []);
      }),
      { numRuns: 500 },
    );
  });

  Deno.test(`TOOL_CALL_PARSERS.${format} reports why it skipped a call`, () => {
    fc.assert(
      fc.property(brokenTexts(format), (text) => {
        const { calls, failure, hasMarker, skipped } = parse(text, TOOLS);
        if (!hasMarker || calls.length > 0) return;
        const isEmpty = format === "deepseekv3" || format === "hermes";
        const reasons = [...skipped, ...failure === undefined ? [] : [failure]];
        assert.ok(reasons.length > 0 || isEmpty, text);
        for (const reason of reasons) assert.match(reason, /\w+ \w+/);
      }),
    );
  });

  Deno.test(`TOOL_CALL_PARSERS.${format} reads 200,000 characters of any repeated piece`, () => {
    for (const piece of piecesOf(format)) {
      if (piece === "") continue;
      const begun = performance.now();
      parse(piece.repeat(Math.ceil(200_000 / piece.length)), TOOLS);
      const took = performance.now() - begun;
      // About 0.1 s; quadratic time would take minutes.
      assert.ok(took < 20_000, `${JSON.stringify(piece)} took ${took} ms`);
    }
  });
}

/** A call whose arguments contain text that looks like markers, in each format. */
const ESCAPED: Readonly<Record<ToolCallFormat, string>> = {
  qwen25:
    '<tool_call>\n{"name": "pay", "arguments": {"s": "a </tool_call> b"}}\n</tool_call>',
  hermes:
    '<tool_call>{"name": "pay", "arguments": {"s": "a [x] b"}}</tool_call>',
  qwen3_coder:
    "<tool_call>\n<function=pay>\n<parameter=s>\na <b> c\n</parameter>\n</function>\n</tool_call>",
  glm45:
    "<tool_call>pay\n<arg_key>s</arg_key>\n<arg_value>a <b> c</arg_value>\n</tool_call>",
  pythonic: `[pay(s="a )] b")]`,
  deepseekv3:
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>pay\n```json\n{"s": "a ```json b"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
  "gpt-oss":
    '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.pay <|constrain|>json<|message|>{"s": "a <|x|> b"}<|call|>',
};

for (const format of TOOL_CALL_FORMATS) {
  Deno.test(`TOOL_CALL_PARSERS.${format} ignores markers within values`, () => {
    const { calls } = TOOL_CALL_PARSERS[format](ESCAPED[format], TOOLS);
    assert.equal(calls.length, 1);
    const [{ name, parameters }] = calls as [typeof calls[number]];
    assert.equal(name, "pay");
    assert.match(
      String((parameters as Map<string, unknown>).get("s")),
      /^a .* [bc]$/,
    );
  });
}
