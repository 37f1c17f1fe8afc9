import assert from "node:assert/strict";
import fc from "fast-check";
import { ChatTemplate } from "../../../env/tokens/chat_template.ts";
import {
  checkPrefix,
  probeTemplate,
} from "../../../env/tokens/rewritten_prefix.ts";
import { conversations } from "../../support/conversations.ts";
import { qwen3Hybrid, qwen3Instruct } from "../../support/qwen3.ts";

Deno.test("checkPrefix() reports equal renderings for Qwen3-Instruct", async () => {
  const template = await qwen3Instruct();
  fc.assert(fc.property(conversations(), (messages) => {
    assert.deepEqual(checkPrefix(template, messages), { kind: "prefix" });
  }));
});

Deno.test("probeTemplate() reports where hybrid Qwen3 drops thoughts", async () => {
  const report = probeTemplate(await qwen3Hybrid());
  assert.equal(report.kind, "rewritten");
  if (report.kind !== "rewritten") return;
  assert.equal(report.message, 2);
  assert.match(report.kept, /^<think>\nA guest\./);
  assert.match(report.rendered, /^Yes\?<\|im_end\|>/);
});

const SIMPLE = (content: string) =>
  `{% for m in messages %}[{{ m.role }}]${content}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;

Deno.test("probeTemplate() detects templates that trim, or that render the last message differently", () => {
  const report = (source: string) =>
    probeTemplate(new ChatTemplate({ source, endToken: "</s>" }));
  assert.deepEqual(report(SIMPLE("{{ m.content }}")), { kind: "prefix" });
  // The template trims in every rendering, so they agree. Only the sampled text would differ, which the check does not
  // see.
  assert.deepEqual(report(SIMPLE("{{ m.content | trim }}")), {
    kind: "prefix",
  });
  const last = report(
    SIMPLE("{{ m.content }}{% if loop.last %} (answer this){% endif %}"),
  );
  assert.equal(last.kind, "rewritten");
  if (last.kind !== "rewritten") return;
  assert.equal(last.message, 0);
  assert.match(last.kept, /^ \(answer this\)<\/s>\[assistant\]/);
});

Deno.test("checkPrefix() renders a default system prompt once, at the beginning", () => {
  const template = new ChatTemplate({
    source:
      `{% if messages[0].role != "system" %}[system]Be kind.</s>{% endif %}` +
      SIMPLE("{{ m.content }}"),
    endToken: "</s>",
  });
  assert.deepEqual(
    checkPrefix(template, [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "user", content: "c" },
    ]),
    { kind: "prefix" },
  );
  assert.equal(
    template.open([{ role: "user", content: "a" }], []),
    "[system]Be kind.</s>[user]a</s>[assistant]",
  );
  assert.equal(
    template.proceed({ role: "assistant", content: "b" }, [
      { role: "user", content: "c" },
    ]),
    "</s>[user]c</s>[assistant]",
  );
});
