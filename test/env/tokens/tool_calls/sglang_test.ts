import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../../../env/python/python_json.ts";
import { TOOL_CALL_PARSERS } from "../../../../env/tokens/tool_calls/parse_tool_calls.ts";
import {
  knownTools,
  type ParsedText,
  TOOL_CALL_FORMATS,
} from "../../../../env/tokens/tool_calls/tool_call_format.ts";
import { withoutPython } from "../../../support/python.ts";
import { askSglang, type SglangAnswer } from "../../../support/sglang.ts";
import {
  brokenTexts,
  CALL_TOOLS,
  wholeTexts,
} from "../../../support/tool_call_texts.ts";

/** Formats a call as text in which ints and floats remain distinct. */
function shown(name: string, parameters: JsonValue): string {
  return `${name}(${printPythonJson(parameters, { ensureAscii: false })})`;
}

function ours({ calls, hasMarker, normalText }: ParsedText) {
  const named = calls.map(({ name, parameters }) => shown(name, parameters));
  return {
    marker: hasMarker,
    calls: named,
    normal: named.length > 0 ? normalText : null,
  };
}

function theirs({ calls, marker, normal }: SglangAnswer) {
  const named = calls.map(([name, text]) => shown(name, parsePythonJson(text)));
  return { marker, calls: named, normal: named.length > 0 ? normal : null };
}

/** Matches texts in which SGLang's regular expression may end a list of calls earlier than taulab's parser. */
const PYTHONIC_DIFFERS = /[\s,]\)\s*,/;

for (const parser of TOOL_CALL_FORMATS) {
  Deno.test({
    name:
      `TOOL_CALL_PARSERS.${parser} returns the same calls as SGLang's parser (needs Python with sglang)`,
    ignore: withoutPython(),
    async fn() {
      const sample = (texts: fc.Arbitrary<string>) =>
        fc.sample(texts, { numRuns: 600, seed: 7 });
      const cases = [
        ...sample(wholeTexts(parser)),
        ...sample(brokenTexts(parser)),
      ].filter((text) => parser !== "pythonic" || !PYTHONIC_DIFFERS.test(text))
        .map((text) => ({ parser, text }));
      const tools = knownTools(CALL_TOOLS);
      const answers = await askSglang(CALL_TOOLS, cases);
      let found = 0;
      cases.forEach(({ text }, i) => {
        const answer = theirs(answers[i]!);
        found += answer.calls.length;
        assert.deepEqual(
          ours(TOOL_CALL_PARSERS[parser](text, tools)),
          answer,
          JSON.stringify(text),
        );
      });
      assert.ok(found > 50, `${found} calls`);
    },
  });
}
