import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError, RayError } from "../../../../env/errors.ts";
import type { Shell } from "../../../../train/slime/hosts/shell.ts";
import { openFleet } from "../../../../train/slime/launch/fleet.ts";
import { writePlanFiles } from "../../../../train/slime/plan/plan_files.ts";
import type { RayJobs } from "../../../../train/slime/launch/ray_jobs.ts";
import { checkpointStep } from "../../../../train/slime/launch/stop.ts";
import { freePort } from "../../../support/ray.ts";
import { fakeHost, HAS_SSHD } from "../../../support/sshd.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const env = () => undefined;

/**
 * The source of a Python server that listens on a host's loopback and responds like Ray. It ends when the connection to
 * the host is closed.
 */
const SERVER = `
import http.server, json, sys
class Ray(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"ray_version": "2.49.2", "session_name": "s"}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ray)
print("up", flush=True)
server.serve_forever()
`;

/**
 * Starts the server on a host. The server ends when the signal aborts.
 * @returns A promise that resolves when the server listens.
 */
function serveOn(shell: Shell, { port, signal }: {
  port: number;
  signal: AbortSignal;
}): Promise<void> {
  return new Promise((resolve, reject) => {
    shell.run(
      { script: `exec python3 -c '${SERVER}' ${port}` },
      { signal, onLine: (line) => line === "up" && resolve() },
    ).catch(reject);
  });
}

async function answersIn(jobs: RayJobs, ms: number): Promise<string> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return (await jobs.version()).version;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

Deno.test({
  name:
    "openFleet() reaches Ray on the loopback of a host through ssh, and again after the connection was lost (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inTempDir(async (dir) => {
      await using gpu = await fakeHost(dir, "gpu1");
      await using fleet = openFleet([gpu.host], { env });
      const port = freePort();
      const end = new AbortController();
      await serveOn(fleet.shellOf("gpu1"), { port, signal: end.signal });
      const jobsUrl = `http://127.0.0.1:${port}`;
      const jobs = await fleet.jobsOf({ jobsUrl, head: "gpu1" });
      assert.notEqual(jobs.url, jobsUrl);
      assert.equal(await answersIn(jobs, 5_000), "2.49.2");

      await gpu.stop();
      const fault = await jobs.version().then(() => null, (error) => error);
      assert.ok(fault instanceof RayError && fault.kind === "unreachable");
      await gpu.start();
      await serveOn(fleet.shellOf("gpu1"), { port, signal: end.signal });
      assert.equal(await answersIn(jobs, 20_000), "2.49.2");
      end.abort();
    }),
});

Deno.test({
  name:
    "writePlanFiles() writes complete files to the head and to all hosts (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inTempDir(async (dir) => {
      await using one = await fakeHost(dir, "gpu1");
      await using two = await fakeHost(dir, "gpu2");
      await using fleet = openFleet([one.host, two.host], { env });
      const hosts = ["gpu1", "gpu2"].map((name) => ({ name, address: name }));
      // Both share this machine's disk, so the paths show which host wrote.
      const path = join(one.home, "deep dir", "rows.jsonl");
      const text = `{"a": "ä'$HOME"}\n`;
      const file = { path, text, on: "every" as const, what: "tasks" };
      const to = { shellOf: fleet.shellOf, source: "tau3-bench" as const };
      await writePlanFiles({ hosts, files: [file], services: [] }, to);
      assert.equal(await Deno.readTextFile(path), text);
      const named = { ...one.host, address: "gpu1.example" };
      await using other = openFleet([named], { env });
      const said = await other.shellOf("gpu1").run({ script: "hostname -I" });
      const own = said.stdout.trim().split(/\s+/);
      assert.ok(own.length > 0);
      assert.deepEqual(
        new Set(await other.addresses()),
        new Set(["gpu1.example", ...own]),
      );
      const missing = { ...file, text: null };
      await assert.rejects(
        writePlanFiles({ hosts, files: [missing], services: [] }, to),
        (error) =>
          error instanceof ConfigError && /--tau3-bench/.test(error.hint ?? ""),
      );
      await Deno.writeTextFile(join(one.home, "file"), "");
      const wrong = { ...file, path: join(one.home, "file", "rows.jsonl") };
      await assert.rejects(
        writePlanFiles({ hosts, files: [wrong], services: [] }, to),
        /Cannot write .* on gpu\d: .*paths\.runs/,
      );
    }),
});

Deno.test("checkpointStep() returns the number of rollouts in slime's last checkpoint", () =>
  inTempDir(async (dir) => {
    await using fleet = openFleet([], { env });
    const shell = fleet.shellOf("this machine");
    const step = () => checkpointStep(shell, { directory: dir });
    assert.equal(await step(), 0);
    const latest = join(dir, "latest_checkpointed_iteration.txt");
    await Deno.writeTextFile(latest, "19\n");
    assert.equal(await step(), 20);
    await Deno.writeTextFile(latest, "release");
    assert.equal(await step(), 0);
    assert.throws(() => fleet.shellOf("gpu9"), /hosts\.yaml/);
  }));
