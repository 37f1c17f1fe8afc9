import assert from "node:assert/strict";
import { ChatTemplate } from "../../../../env/tokens/chat_template.ts";
import {
  readsCall,
  renderedCall,
  templateFormat,
} from "../../../../env/tokens/tool_calls/template_format.ts";
import { TOOL_CALL_FORMATS } from "../../../../env/tokens/tool_calls/tool_call_format.ts";
import {
  callTemplate,
  GLM_SOURCE,
  silentTemplate,
} from "../../../support/call_templates.ts";
import { qwen3Hybrid, qwen3Instruct } from "../../../support/qwen3.ts";

Deno.test("templateFormat() detects qwen25 in Qwen3's templates", async () => {
  assert.equal(templateFormat(await qwen3Hybrid()), "qwen25");
  assert.equal(templateFormat(await qwen3Instruct()), "qwen25");
});

for (const format of TOOL_CALL_FORMATS) {
  Deno.test(`templateFormat() detects ${format} in a template that writes it`, () => {
    assert.equal(templateFormat(callTemplate(format)), format);
  });
}

Deno.test("templateFormat() is null if calls are not rendered, or in an unknown format", () => {
  assert.equal(templateFormat(silentTemplate()), null);
  const own = new ChatTemplate({
    source:
      "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}CALL {{ c.function.name }} {{ c.function.arguments | tojson }}{% endfor %}</s>{% endfor %}",
    endToken: "</s>",
  });
  assert.notEqual(renderedCall(own), null);
  assert.equal(templateFormat(own), null);
});

Deno.test("templateFormat() is null for a template that rejects calls", () => {
  const refusing = new ChatTemplate({
    source:
      "{% for m in messages %}{% if m.tool_calls %}{{ raise_exception('no tools') }}{% endif %}{{ m.content }}</s>{% endfor %}",
    endToken: "</s>",
  });
  assert.equal(templateFormat(refusing), null);
});

Deno.test("readsCall() distinguishes formats, except that hermes also reads qwen25's", () => {
  for (const written of TOOL_CALL_FORMATS) {
    const rendered = renderedCall(callTemplate(written))!;
    const readers = TOOL_CALL_FORMATS.filter((one) => readsCall(one, rendered));
    const expected = written === "qwen25" ? ["qwen25", "hermes"] : [written];
    assert.deepEqual(readers, expected);
  }
});

Deno.test("ChatTemplate.proceed() begins with the next turn's token if the template does not end turns", () => {
  const template = new ChatTemplate({
    source: GLM_SOURCE,
    endToken: "<|endoftext|>",
    stopTokens: ["<|user|>", "<|observation|>"],
  });
  assert.equal(templateFormat(template), "glm45");
  const answer = { role: "assistant", content: "Yes?" } as const;
  assert.equal(
    template.proceed(answer, [{ role: "user", content: "Go" }]),
    "<|user|>\nGo<|assistant|>",
  );
  const call = { id: "call00000", name: "look", arguments: new Map() };
  assert.equal(
    template.proceed({ ...answer, toolCalls: [call] }, [
      { role: "tool", name: "look", toolCallId: call.id, content: "ok" },
    ]),
    "<|observation|>\nok<|assistant|>",
  );
});
