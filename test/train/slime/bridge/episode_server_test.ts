import assert from "node:assert/strict";
import { join } from "node:path";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import { openEpisodeServer } from "../../../../train/slime/bridge/episode_server.ts";
import {
  tinyTokenizerFiles,
  writeModelDir,
  writeSlimeRecipe,
} from "../../../support/slime_recipe.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

Deno.test("openEpisodeServer() requires its token, and is stopped only by its own secret", () =>
  inTempDir(async (dir) => {
    const model = join(dir, "model");
    await writeModelDir(model, await tinyTokenizerFiles());
    const path = await writeSlimeRecipe(dir, { model });
    const text = await Deno.readTextFile(path);
    const { config } = resolveSlime({ name: path, text });
    await using server = await openEpisodeServer(config, { token: "t" });
    const { app, instance, stopped } = server;
    assert.equal((await app.request("/health")).status, 200);
    assert.equal((await app.request("/info")).status, 401);
    const headers = { authorization: "Bearer t" };
    const info = await (await app.request("/info", { headers })).json();
    assert.equal(info.agent, "tool-calling");
    const stop = async (instance: string) =>
      (await app.request("/stop", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ instance }),
      })).status;
    assert.equal(await stop("another"), 404);
    assert.ok(!stopped.aborted);
    assert.equal(await stop(instance), 200);
    assert.ok(stopped.aborted);
  }));
