/** Lists test cases for the doctor's checks of the cluster: ports, Ray, engines, episode servers and secrets. */

import denoConfig from "../../../../../deno.json" with { type: "json" };
import { generated } from "../../../../../env/generated/generated.ts";
import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import {
  checkContext,
  pathServer,
  pythonFacts,
  slimeOf,
  toldShell,
} from "../../../../support/doctor.ts";
import { hostTaulab } from "../../../../../train/slime/setup/host_taulab.ts";
import { type Case, onHost } from "./_case.ts";

function ports(table: string, sets: readonly string[] = []): CheckContext {
  return onHost({ "/proc/net/tcp": table }, [
    "cluster.dashboardPort=1",
    ...sets,
  ]);
}

/** Creates a context with a head and a worker host that have the given tables of connections. */
function onTwoHosts(
  head: string,
  worker: string,
  sets: readonly string[] = ["cluster.dashboardPort=1"],
): CheckContext {
  return checkContext(slimeOf(sets), {
    hosts: [
      toldShell({ "/proc/net/tcp": head }),
      toldShell({ "/proc/net/tcp": worker }, "gpu2"),
    ],
  });
}

const LISTENS_3100 =
  "   0: 0100007F:0C1C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n";
/** A line of /proc/net/tcp for an established connection on port 3100. Nothing listens on the port. */
const TALKS_3100 =
  "   0: 0100007F:0C1C 0100007F:0C1D 01 00000000:00000000 00:00000000 00000000 0 0 1 1\n";

function rayAt(
  { url }: { url: string },
  { installed = "2.49.2", sets = [] as string[] } = {},
): CheckContext {
  return onHost({ "importlib.metadata": pythonFacts({}, { ray: installed }) }, [
    `cluster.dashboardPort=${new URL(url).port}`,
    ...sets,
  ]);
}

function rayServer(jobs: unknown[], gpus = [0, 2]) {
  return pathServer({
    "/api/version": { ray_version: "2.49.2", session_name: "s" },
    "/api/jobs/": jobs,
    "/api/cluster_status": {
      data: {
        clusterStatus: { loadMetricsReport: { usage: { GPU: gpus } } },
      },
    },
  });
}

const job = {
  type: "SUBMISSION",
  submission_id: "old-run",
  job_id: "01000000",
  status: "RUNNING",
  entrypoint: "python3 train.py",
};

/** Creates a context with a single host, which has scripted answers and is to run the episode servers. */
function serving(
  answers: Parameters<typeof toldShell>[0],
  sections: Readonly<Record<string, unknown>> = {},
): CheckContext {
  const outside = toldShell(answers);
  const host = {
    ...outside,
    outside,
    taulab: hostTaulab(),
    place: () => Promise.resolve({ kind: "host" } as const),
  };
  return checkContext(slimeOf([], sections), {
    hosts: [host],
    servers: [host],
  });
}

async function episodeServer(
  held: AsyncDisposableStack,
  more: Record<string, unknown> = {},
) {
  const { fingerprint } = await generated(1, {
    trainTasks: 40,
    devTasks: 4,
    testTasks: 4,
  });
  return held.use(pathServer({
    "/health": { status: "ok" },
    "/info": {
      version: denoConfig.version,
      data: "generated",
      fingerprint,
      agent: "tool-calling",
      user: "scripted",
      max_turns: 30,
      ...more,
    },
  }));
}

/** Starts a router whose workers are all the same server, and creates a context whose recipe uses the router. */
export function withEngines(
  held: AsyncDisposableStack,
  { engines, running, sets = [] }: {
    engines: number;
    running: number;
    sets?: string[];
  },
) {
  const engine = held.use(pathServer({
    "/v1/loads": {
      loads: [{ num_running_reqs: running, num_waiting_reqs: 0 }],
    },
    "/health_generate": {},
  }));
  const router = held.use(pathServer({
    "/workers": {
      workers: Array.from({ length: engines }, (_, i) => ({
        id: String(i),
        url: engine.url,
      })),
    },
  }));
  const port = new URL(router.url).port;
  const context = onHost({ "/proc/net/tcp": "" }, [
    `engine.routerPort=${port}`,
    ...sets,
  ]);
  return { context, engine };
}

/** The test cases for the checks of the cluster. */
export const CASES: readonly Case[] = [
  {
    check: "ports",
    state: "pass",
    name: "a port with a connection but no listener",
    says: /6379, 1, 52365, 3100, 15000\+, 20000\+ are free/,
    world: () => ports(TALKS_3100),
  },
  {
    check: "ports",
    state: "fail",
    name: "another program on the router's port",
    says: /port 3100, for the router, is in use by node \(process 77\)/,
    fix: /engine.routerPort/,
    world: () =>
      ports(
        `${LISTENS_3100}---\nLISTEN 0 128 127.0.0.1:3100 0.0.0.0:* users:(("node",pid=77,fd=3))\n`,
      ),
  },
  {
    check: "ports",
    state: "fail",
    name: "a failed Ray that still uses its port",
    says: /port 6379, for Ray's head, is in use by another process/,
    fix: /ray stop/,
    world: () => ports(LISTENS_3100.replace("0C1C", "18EB")),
  },
  {
    check: "ports",
    state: "pass",
    name: "the ports of a Ray that the run joins",
    says: /the running Ray already uses its own ports/,
    world: (held) => {
      const { url } = held.use(rayServer([]));
      const table = LISTENS_3100.replace("0C1C", "18EB");
      return ports(table, [`cluster.dashboardPort=${new URL(url).port}`]);
    },
  },
  {
    check: "ports",
    state: "fail",
    name: "another Ray's agent on a worker host",
    says: /port 52365, for Ray's agent, is in use by another process/,
    fix: /cluster.agentPort/,
    world: () => onTwoHosts("", LISTENS_3100.replace("0C1C", "CC8D")),
  },
  {
    check: "ports",
    state: "pass",
    name: "a worker host whose other ports the run does not use",
    says: /^52365, 15000\+, 20000\+ are free$/,
    world: () => onTwoHosts("", LISTENS_3100),
  },
  {
    check: "ports",
    state: "pass",
    name: "a worker host of a Ray that the run joins",
    says: /^15000\+, 20000\+ are free; the running Ray/,
    world: (held) => {
      const { url } = held.use(rayServer([]));
      const table = LISTENS_3100.replace("0C1C", "CC8D");
      return onTwoHosts(table, table, [
        `cluster.dashboardPort=${new URL(url).port}`,
      ]);
    },
  },
  {
    check: "ports",
    state: "warn",
    name: "an engine of an earlier run",
    says:
      /^port 15000 is in use, so slime assigns the next free ports from 15000 on to its engines/,
    fix: /earlier run/,
    world: () => ports(LISTENS_3100.replace("0C1C", "3A98")),
  },
  {
    check: "ports",
    state: "fail",
    name: "one port for two programs",
    says: /port 6379 is set for Ray's head and the router/,
    fix: /engine.routerPort/,
    world: () => ports("", ["engine.routerPort=6379"]),
  },
  {
    check: "ports",
    state: "fail",
    name: "a port of Ray's workers for its head",
    says: /port 12000, for Ray's head, is in the range that Ray assigns/,
    fix: /outside the range from 10002 to 19999/,
    world: () => ports("", ["cluster.port=12000"]),
  },
  {
    check: "ray",
    state: "pass",
    name: "a Ray without jobs",
    says: /Ray 2\.49\.2 is running at .* the run will join it/,
    world: (held) =>
      rayAt(held.use(rayServer([{ ...job, status: "STOPPED" }]))),
  },
  {
    check: "ray",
    state: "pass",
    name: "no Ray yet",
    says: /Ray is not running yet; 2\.49\.2 will be started/,
    world: () => rayAt({ url: "http://127.0.0.1:1" }),
  },
  {
    check: "ray",
    state: "fail",
    name: "an old job",
    says: /the job "old-run" is RUNNING: python3 train.py/,
    fix: /ray job stop old-run --address http/,
    world: (held) => rayAt(held.use(rayServer([job]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "the job of another run",
    says: /the job "a1-2" is RUNNING/,
    fix: /with "deno task train --stop a1" where it was launched, or wait/,
    world: (held) =>
      rayAt(held.use(rayServer([{
        ...job,
        submission_id: "a1-2",
        metadata: { taulab_run: "a1" },
      }]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "a driver that was not submitted as a job",
    says: /a driver is connected to Ray \(RUNNING\)/,
    fix: /end the program/,
    world: (held) =>
      rayAt(held.use(rayServer([{ ...job, submission_id: null }]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "GPUs that an actor uses",
    says: /Ray has too few free GPUs: 1 of 2, but the run needs 2/,
    fix: /stop the jobs that use its GPUs/,
    world: (held) => rayAt(held.use(rayServer([], [1, 2]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "a version of Ray that differs from the running one",
    says: /Ray 2\.49\.2 is running, but 2\.40\.0 is installed/,
    fix: /ray==2\.49\.2/,
    world: (held) => rayAt(held.use(rayServer([])), { installed: "2.40.0" }),
  },
  {
    check: "ray",
    state: "fail",
    name: "no Ray to join",
    says: /cannot be reached.*cluster.start is false/,
    fix: /cluster.start to true/,
    world: () =>
      rayAt({ url: "http://127.0.0.1:1" }, { sets: ["cluster.start=false"] }),
  },
  {
    check: "ray",
    state: "fail",
    name: "another server on Ray's port",
    says: /is not Ray's Jobs API/,
    fix: /cluster.dashboardPort/,
    world: (held) =>
      rayAt(held.use(pathServer({ "/api/version": "a web shop" }))),
  },
  {
    check: "ray",
    state: "fail",
    name: "hosts with different versions of Ray",
    says: /2\.49\.2 on gpu1, 2\.40\.0 on gpu2/,
    fix: /same version/,
    world: () =>
      checkContext(slimeOf(["cluster.dashboardPort=1"]), {
        hosts: [
          toldShell({ "importlib.metadata": pythonFacts() }),
          toldShell({
            "importlib.metadata": pythonFacts({}, { ray: "2.40.0" }),
          }, "gpu2"),
        ],
      }),
  },
  {
    check: "secrets",
    state: "pass",
    name: "a recipe that needs no keys",
    says: /no key or token is needed/,
    world: () => checkContext(slimeOf()),
  },
  {
    check: "secrets",
    state: "pass",
    name: "the token of an open server",
    says: /set: TAULAB_TOKEN$/,
    world: () =>
      checkContext(slimeOf(["bridge.address=10.0.0.1"]), {
        env: (name) => name === "TAULAB_TOKEN" ? "any" : undefined,
      }),
  },
  {
    check: "secrets",
    state: "fail",
    name: "an open server without a token",
    says: /TAULAB_TOKEN is not set, but episode servers listen on 10\.0\.0\.1/,
    fix: /set TAULAB_TOKEN/,
    world: () => checkContext(slimeOf(["bridge.address=10.0.0.1"])),
  },
  {
    check: "secrets",
    state: "fail",
    name: "a provider without its key",
    says: /The API key for gemini is not set/,
    fix: /set GEMINI_API_KEY/,
    world: () =>
      checkContext(slimeOf([
        "user.strategy=llm",
        "user.endpoint.provider=gemini",
        "user.endpoint.model=some-model",
      ])),
  },
  {
    check: "services",
    state: "pass",
    name: "a server of this recipe",
    says: /generated, tool-calling agent, scripted user/,
    world: async (held) => {
      const { url } = await episodeServer(held);
      return checkContext(slimeOf([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "fail",
    name: "a server with another dataset",
    says: /the dataset fingerprint of http.* is other, but /,
    fix: /restart the server/,
    world: async (held) => {
      const { url } = await episodeServer(held, { fingerprint: "other" });
      return checkContext(slimeOf([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "warn",
    name: "a server of another version of taulab",
    says: /version of http.* is 0\.0\.9/,
    fix: /this version of taulab/,
    world: async (held) => {
      const { url } = await episodeServer(held, { version: "0.0.9" });
      return checkContext(slimeOf([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "fail",
    name: "a server that requires a token",
    says: /\/info answered 401/,
    fix: /set TAULAB_TOKEN/,
    world: (held) => {
      const { url } = held.use(pathServer({
        "/health": { status: "ok" },
        "/info": new Response("Unauthorized", { status: 401 }),
      }));
      return checkContext(slimeOf([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "fail",
    name: "no server",
    says: /http:\/\/127\.0\.0\.1:1 does not answer/,
    fix: /deno task serve/,
    world: () =>
      checkContext(slimeOf(['bridge.services=["http://127.0.0.1:1"]'])),
  },
  {
    check: "services",
    state: "pass",
    name: "a host that has been set up to serve",
    says: /episode servers can be started on the ports 8400, 8401/,
    world: () => serving({ ".taulab-files": "", "/proc/net/tcp": "" }),
  },
  {
    check: "services",
    state: "warn",
    name: "a host where a process may open few files",
    says: /may open only 100 files, .* needs 2 for each of its \d+ concurrent/,
    fix: /ulimit -Hn/,
    world: () =>
      serving({
        "ulimit -Hn": "100\n",
        ".taulab-files": "",
        "/proc/net/tcp": "",
      }),
  },
  {
    check: "services",
    state: "fail",
    name: "a host without taulab",
    says: /cannot run on this host, which lacks Deno 2, this version of taulab/,
    fix: /deno task setup --serve gpu1/,
    world: () =>
      serving({ ".taulab-files": "Deno 2\nthis version of taulab\n" }),
  },
  {
    check: "services",
    state: "fail",
    name: "a port in use on the host",
    says: /port 8401, for an episode server, is in use by another process/,
    fix: /bridge\.port/,
    world: () =>
      serving({
        ".taulab-files": "",
        "/proc/net/tcp": LISTENS_3100.replace("0C1C", "20D1"),
      }),
  },
  {
    check: "services",
    state: "fail",
    name: "a user's model that the host cannot reach",
    says: /cannot reach the user's model at http:\/\/10\.9\.9\.9\/v1: no route/,
    fix: /user\.endpoint\.baseUrl/,
    world: () =>
      serving({
        ".taulab-files": "",
        "/proc/net/tcp": "",
        "TAULAB_URL": { code: 1, stdout: "no route" },
      }, {
        user: {
          strategy: "llm",
          endpoint: {
            provider: "openai",
            model: "m",
            baseUrl: "http://10.9.9.9/v1",
          },
        },
      }),
  },
  {
    check: "services",
    state: "fail",
    name: "a port in use",
    says: /port \d+, for an episode server, is in use on this machine/,
    fix: /bridge.port/,
    world: (held) => {
      const { url } = held.use(pathServer({}));
      return checkContext(slimeOf([
        `bridge.port=${new URL(url).port}`,
        "bridge.processes=1",
      ]));
    },
  },
  {
    check: "engines",
    state: "pass",
    name: "engines that all generate",
    says: /all engines \(2\)|generates/,
    world: (held) => withEngines(held, { engines: 2, running: 1 }).context,
  },
  {
    check: "engines",
    state: "skipped",
    name: "an idle engine, whose memory training may use",
    says: /up and idle/,
    world: (held) => withEngines(held, { engines: 2, running: 0 }).context,
  },
  {
    check: "engines",
    state: "fail",
    name: "a missing engine",
    says: /the router has too few engines: 1 instead of 2/,
    fix: /job's log/,
    world: (held) => withEngines(held, { engines: 1, running: 1 }).context,
  },
  {
    check: "engines",
    state: "fail",
    name: "no router",
    says: /the router at http.* does not answer/,
    fix: /engine.routerPort/,
    world: () => onHost({ "/proc/net/tcp": "" }, ["engine.routerPort=1"]),
  },
];
