import assert from "node:assert/strict";
import { ConfigError } from "../../../env/errors.ts";
import { createMeter } from "../../../env/models/meter.ts";
import { connectModel } from "../../../train/config/open_model.ts";
import { chatAnswer, modelServer } from "../../support/model_server.ts";

Deno.test("connectModel() opens a model at an endpoint, and counts its usage", async () => {
  await using server = modelServer({ answer: () => chatAnswer("hello") });
  const meter = createMeter();
  const model = await connectModel({
    provider: "vllm",
    model: "a/b",
    baseUrl: `${server.url}/v1`,
  }, { meter });
  const chat = model.chat({ tools: [], seed: 1 });
  const { content } = await chat.send([{ role: "user", content: "hi" }]);
  assert.equal(content, "hello");
  assert.equal(model.name, "a/b");
  assert.equal(server.requests.at(-1)?.body.model, "a/b");
  assert.equal(meter.totals[0]?.usage.calls, 2, "the check and the question");
});

Deno.test("connectModel() reports a wrong setting, a missing model, and an endpoint that does not answer", async () => {
  const refused = (settings: Parameters<typeof connectModel>[0], by: RegExp) =>
    assert.rejects(
      () => connectModel(settings),
      (error) => error instanceof ConfigError && by.test(error.message),
    );
  await refused({ model: "a", maxTokens: 0 }, /maxTokens/);
  await refused({ provider: "vllm" }, /No model is set/);
  await using server = modelServer({
    answer: () => new Response("{}", { status: 404 }),
  });
  const baseUrl = `${server.url}/v1`;
  await refused(
    { provider: "vllm", model: "a", baseUrl },
    /Cannot use model a \(vllm, http/,
  );
});
