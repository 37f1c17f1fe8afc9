import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import { trackingSchema } from "../../../train/tracking/tracking_schema.ts";
import { trackio } from "../../../train/tracking/trackio.ts";
import { inTempDir } from "../../support/temp_dir.ts";
import {
  askTool,
  freePort,
  toolCommand,
  without,
} from "../../support/trackers.ts";

const RUN = {
  name: "a",
  path: "runs/a",
  kind: "train",
  project: "worlds",
  startedAtMs: 0,
  seed: 1,
  version: "0",
  commit: null,
  config: { rl: { steps: 3 } },
} as const;

Deno.test("trackio() explains how to set its server", () => {
  const config = trackingSchema.parse({ trackio: true });
  assert.throws(() => trackio(config, () => undefined), ConfigError);
});

Deno.test({
  name:
    "tracking.trackio sends curves, config and table, each point once although it is sent twice (needs Python with trackio)",
  ignore: without("trackio"),
  fn: () =>
    inTempDir(async (dir) => {
      const env = { TRACKIO_DIR: join(dir, "db"), HF_HUB_OFFLINE: "1" };
      const script = new URL(
        "../../support/serve_trackio.py",
        import.meta.url,
      ).pathname;
      const server = toolCommand("trackio", [script, String(freePort())], {
        env,
        cwd: dir,
        stdin: "piped",
      }).spawn();
      try {
        let said = "";
        const url = () => /"(http[^"]+write_token=[^"]+)"\n/.exec(said)?.[1];
        const decoder = new TextDecoder();
        for await (
          const bytes of server.stdout.values({ preventCancel: true })
        ) {
          said += decoder.decode(bytes);
          if (url() !== undefined) break;
        }
        const tracker = trackio(trackingSchema.parse({ trackioUrl: url() }));
        const open = await tracker.open(RUN, {});
        const points = [1, 2].map((step) => ({
          step,
          timeMs: 0,
          values: new Map([["rl/reward", step / 2]]),
        }));
        await open.send(points, {});
        await open.send(points, {});
        const episodes = { columns: ["reward"], rows: [[1], [0]] };
        const end = { outcome: "completed", timeMs: 0, step: 2, episodes };
        await open.end({ ...end, outcome: "completed" }, {});
        const args = ["read_trackio.py", RUN.project, RUN.name];
        const seen = await askTool("trackio", args, { env, cwd: dir }) as {
          logs: Record<string, unknown>[];
          config: Record<string, unknown>;
        };
        assert.deepEqual(
          seen.logs.map((one) => [one["step"], one["rl/reward"]]),
          [[1, 0.5], [2, 1], [2, undefined]],
        );
        assert.deepEqual(seen.logs[2]?.["episodes"], {
          _type: "trackio.table",
          _value: [{ reward: 1 }, { reward: 0 }],
        });
        assert.equal(seen.config["rl.steps"], 3);
      } finally {
        await server.stdin.close();
        await server.stdout.cancel();
        await server.stderr.cancel();
        server.kill("SIGTERM");
        await server.status;
      }
    }),
});
