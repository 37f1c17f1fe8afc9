import assert from "node:assert/strict";
import { join } from "node:path";
import { telecomBundle } from "../../env/domains/telecom/world/world_bundle.ts";
import { codecOf } from "../../train/cpu/policy_agent.ts";
import { writeFiles } from "../../train/mock/mock_files.ts";
import { openEpisodeServer } from "../../train/slime/bridge/episode_server.ts";
import { resolveSlime } from "../../train/slime/slime_config.ts";
import { modelServer } from "../support/model_server.ts";
import {
  tinyTokenizerFiles,
  writeModelDir,
  writeSlimeRecipe,
} from "../support/slime_recipe.ts";
import { runTask } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

const START = {
  seed: 4,
  count: 20,
  options: { maxFaults: 2, complaints: ["mms"], hopelessShare: 0 },
};

Deno.test("slime's rows of τ³-bench name bench, env and split, and the episode server plays them with the user's phone", () =>
  inTempDir(async (dir) => {
    const bundle = join(dir, "bundle");
    const { files, counts } = telecomBundle(START);
    await writeFiles(bundle, files);
    const out = join(dir, "rows");
    const { code, stderr } = await runTask("mock", [
      ...["--source", "tau3-bench", "--tau3-bench", bundle, "--out", out],
    ]);
    assert.equal(code, 0, stderr);
    const text = await Deno.readTextFile(
      join(out, "tau3.telecom_test_tasks.jsonl"),
    );
    const rows = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(rows.length, counts["test"]);
    const { index, metadata } = rows.at(-1);
    assert.deepEqual(
      [index, metadata.bench, metadata.env, metadata.split],
      [rows.length - 1, "tau3", "tau3.telecom", "test"],
    );

    const tokenizer = await tinyTokenizerFiles();
    const model = join(dir, "model");
    await writeModelDir(model, tokenizer);
    const path = await writeSlimeRecipe(dir, {
      model,
      data: { source: "tau3-bench", domain: "telecom", directory: bundle },
    });
    const recipe = { name: path, text: await Deno.readTextFile(path) };
    const { config } = resolveSlime(recipe);
    const codec = codecOf(tokenizer).tokenizer;
    const said = "please check whether you can send an mms.";
    const ids = codec.encode(said + codec.endToken);
    await using engine = modelServer({
      answer: () => ({
        output_ids: ids,
        meta_info: {
          finish_reason: { type: "stop" },
          output_token_logprobs: ids.map((id) => [-0.5, id, null]),
        },
      }),
    });
    await using server = await openEpisodeServer(config);
    const ask = (fields: object) =>
      server.app.request("/episodes", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          task: index,
          split: metadata.split,
          domain: metadata.env,
          instruction: metadata.instruction,
          seed: 1,
          session_id: "s",
          engine: engine.url,
          sampling_params: { max_new_tokens: 200 },
          ...fields,
        }),
      });
    const response = await ask({});
    const sample = await response.json();
    assert.equal(response.status, 200, JSON.stringify(sample));
    assert.equal(sample.remove_sample, false, JSON.stringify(sample.metadata));
    // Checks that the user called their phone's tools and reported the results.
    const heard = sample.spans.filter(
      ({ trainable }: { trainable: boolean }) => !trainable,
    ).map(({ text }: { text: string }) => text).join("");
    assert.match(heard, /messaging app cannot send mms/);
    assert.equal(sample.reward, 0);
    assert.equal((await ask({ domain: "retail" })).status, 409);
  }));
