/**
 * Plans what runs on the hosts: Ray, the episode servers, and the job.
 * @see slime `examples/tau-bench/run_qwen3_4B.sh` and Ray's `ray start --help`. Differences: no process is killed, and
 * the dashboard listens on loopback by default, because anyone who can reach it can run any command.
 */

import { asksModel } from "../../../env/users/registry.ts";
import { ConfigError } from "../../../env/errors.ts";
import { endpointVariables } from "../../../env/models/endpoints.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { quoteWords } from "../hosts/shell.ts";
import { THIS_HOST } from "../hosts/hosts_file.ts";
import { dataOn, hostTaulab } from "../setup/host_taulab.ts";
import { isLoopback } from "../../../env/serve/loopback.ts";
import { trainScript } from "./async_mode.ts";
import { ROUTER_KEY } from "../router_key.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { needsWandbKey, trackingVariables } from "./tracking.ts";
import type {
  JobPlan,
  LaunchFacts,
  PlanHost,
  PlannedCommand,
  PlannedSecret,
  PlannedService,
  RayPlan,
} from "./plan_types.ts";

/**
 * Returns the names of the hosts that a recipe needs: first the hosts of the cluster, then the hosts that only run
 * episode servers. This machine is not included.
 */
export function hostNames({ cluster, bridge }: SlimeConfig): string[] {
  return [...new Set([...cluster.hosts, ...bridge.hosts])]
    .filter((name) => name !== THIS_HOST);
}

/**
 * Returns a run's hosts, starting with the head.
 * @throws {ConfigError} If hosts.yaml lacks one of the recipe's hosts, or a host's address cannot be reached by the
 * other hosts.
 */
export function planHosts(
  { cluster }: SlimeConfig,
  facts: Pick<LaunchFacts, "hosts">,
): PlanHost[] {
  if (cluster.hosts.length === 0) {
    return [{ name: THIS_MACHINE, address: cluster.address }];
  }
  const hosts = cluster.hosts.map((name) => {
    const host = facts.hosts.find((one) => one.name === name);
    if (host !== undefined) return host;
    throw new ConfigError(
      `cluster.hosts names "${name}", which is not in hosts.yaml`,
      { hint: `add "${name}" to hosts.yaml` },
    );
  });
  const [head, ...others] = hosts;
  const address = others.length === 0 || !isLoopback(cluster.address)
    ? cluster.address
    : head!.address;
  const stray = [{ name: head!.name, address }, ...others]
    .find((host) => isLoopback(host.address));
  if (others.length > 0 && stray !== undefined) {
    throw new ConfigError(
      `The other hosts cannot reach "${stray.name}" at its address ${stray.address}`,
      { hint: `set the address of "${stray.name}" in hosts.yaml` },
    );
  }
  return [{ name: head!.name, address }, ...others];
}

/**
 * Environment variables that extend the timeouts of Ray's dashboard. By default, each part of the dashboard has 30 s to
 * start. On a busy host, a part can take longer, and the Jobs API then never responds.
 * @see Ray 2.49.2 `dashboard/consts.py`.
 */
const DASHBOARD_TIMEOUTS = {
  RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT: "280",
};

/** The key in a job's metadata under which the name of the run is stored. */
export const RUN_KEY = "taulab_run";

/**
 * Plans the Ray cluster: the commands that start it, unless the recipe only joins a cluster, and its addresses and
 * GPUs.
 */
export function planRay(
  { config: { cluster, engine, paths }, batch, hostGpus }: ResolvedSlime,
  { hosts, secrets, services }: {
    readonly hosts: readonly PlanHost[];
    readonly secrets: readonly PlannedSecret[];
    readonly services: readonly PlannedService[];
  },
): RayPlan {
  const { port, dashboardPort, agentPort, tempDir, start } = cluster;
  const [head, ...workers] = hosts as readonly [PlanHost, ...PlanHost[]];
  const address = `${head.address}:${port}`;
  const passEnv = secrets.map(({ name }) => name);
  const command = (
    host: PlanHost,
    words: readonly string[],
  ): PlannedCommand => ({
    host: host.name,
    cwd: null,
    words: [paths.ray, "start", ...words],
    env: words.includes("--head") ? DASHBOARD_TIMEOUTS : {},
    passEnv,
  });
  const common = [
    ...["--num-gpus", String(hostGpus)],
    ...["--dashboard-agent-listen-port", String(agentPort)],
    "--disable-usage-stats",
  ];
  const own = (one: PlannedService) => one.listen?.port;
  return {
    head: start
      ? command(head, [
        "--head",
        ...["--node-ip-address", head.address],
        ...["--port", String(port)],
        ...common,
        ...["--dashboard-host", cluster.dashboardHost],
        ...["--dashboard-port", String(dashboardPort)],
        ...(tempDir === null ? [] : ["--temp-dir", tempDir]),
      ])
      : null,
    workers: start
      ? workers.map((host) =>
        command(host, [
          ...["--address", address],
          ...["--node-ip-address", host.address],
          ...common,
        ])
      )
      : [],
    address,
    jobsUrl: jobsUrl(cluster),
    dashboardPort,
    tempDir,
    hostGpus,
    gpus: batch.gpus,
    ports: [
      ...(start
        ? [
          { port, of: "Ray" },
          { port: dashboardPort, of: "Ray's Jobs API" },
          { port: agentPort, of: "Ray's agent" },
        ]
        : []),
      { port: engine.routerPort, of: "SGLang's router" },
      ...services.map(own).filter((one) => one !== undefined)
        .map((one) => ({ port: one, of: "episodes" })),
    ],
  };
}

function jobsUrl(
  { dashboardHost, dashboardPort }: SlimeConfig["cluster"],
): string {
  const isHere = isLoopback(dashboardHost) || dashboardHost === "0.0.0.0";
  return `http://${isHere ? "127.0.0.1" : dashboardHost}:${dashboardPort}`;
}

/**
 * Plans the episode servers. If the recipe lists servers that are already running, the run uses them. Otherwise it
 * starts new servers, by default on the head.
 */
export function planServices(
  config: SlimeConfig,
  { facts, hosts, directory }: {
    readonly facts: Pick<LaunchFacts, "hosts" | "runDir">;
    readonly hosts: readonly PlanHost[];
    /** The directory on the hosts that contains the run's files. */
    readonly directory: string;
  },
): PlannedService[] {
  const { bridge } = config;
  if (bridge.services.length > 0) {
    return bridge.services.map((url) => ({
      url,
      start: null,
      listen: null,
      overrides: [],
    }));
  }
  const on = serverHosts(config, { facts, hosts });
  return Array.from({ length: bridge.processes }, (_, index) => {
    const { name, address: host, dir } = on[index % on.length]!;
    const port = bridge.port + index;
    const isHere = name === THIS_MACHINE;
    const at = isHere ? facts.runDir : directory;
    const data = isHere ? null : dataOn(hostTaulab(dir), config.data.source);
    const engines = hosts.map(({ address }) => address);
    const overrides = serverOverrides(config, { data, engines });
    return {
      url: `http://${host}:${port}`,
      listen: { host, port },
      overrides,
      start: {
        host: name,
        cwd: null,
        words: [
          ...["deno", "task", "serve", "--recipe", `${at}/config.yaml`],
          ...overrides.flatMap((override) => ["--set", override]),
          ...["--record", at, "--host", host, "--port", String(port)],
        ],
        env: {},
        passEnv: serviceVariables(config, host),
      },
    };
  });
}

function serverHosts(
  { bridge, cluster }: SlimeConfig,
  { facts, hosts }: {
    readonly facts: Pick<LaunchFacts, "hosts">;
    readonly hosts: readonly PlanHost[];
  },
): PlanHost[] {
  if (bridge.hosts.length === 0) {
    const [head] = hosts as readonly [PlanHost, ...PlanHost[]];
    return [{ ...head, address: bridge.address ?? head.address }];
  }
  return bridge.hosts.map((name) =>
    name === THIS_HOST
      ? { name: THIS_MACHINE, address: bridge.address ?? cluster.address }
      : hosts.find((host) => host.name === name) ??
        facts.hosts.find((host) => host.name === name)!
  );
}

/**
 * Returns the overrides of the run's config for a server: its share of the limits, the engines' hosts, and, on another
 * host, the benchmark's directory.
 * @param at.data The benchmark's directory; `null` on this machine, and for generated datasets.
 * @param at.engines Addresses of the run's hosts.
 */
export function serverOverrides(
  config: SlimeConfig,
  { data, engines }: {
    readonly data: string | null;
    readonly engines: readonly string[];
  },
): string[] {
  const allowed = new Set([...config.bridge.allowEngines, ...engines]);
  const isMore = [...allowed].some((one) =>
    !isLoopback(one) && one !== config.cluster.address &&
    !config.bridge.allowEngines.includes(one)
  );
  return [
    ...sharedOut(config),
    ...isMore ? [`bridge.allowEngines=${JSON.stringify([...allowed])}`] : [],
    ...data === null ? [] : [`data.directory=${data}`],
  ];
}

/**
 * Returns the overrides that give a server its share of the recipe's limits. Each server enforces its own limits, so a
 * limit is divided by the number of servers.
 */
function sharedOut({ bridge, budget, user }: SlimeConfig): string[] {
  const { processes } = bridge;
  const { requestsPerMinute } = user.endpoint.calls;
  const share = (value: number) => Math.max(1, Math.floor(value / processes));
  return [
    ...(requestsPerMinute === 0 ? [] : [
      `user.endpoint.calls.requestsPerMinute=${share(requestsPerMinute)}`,
    ]),
    ...(budget.maxCost === null
      ? []
      : [`budget.maxCost=${budget.maxCost / processes}`]),
    ...(budget.maxTokens === null
      ? []
      : [`budget.maxTokens=${share(budget.maxTokens)}`]),
  ];
}

/**
 * Returns the names of the environment variables that are passed on to a server if they are set on this machine.
 * @param host The address that the server listens on.
 */
export function serviceVariables(
  { user }: SlimeConfig,
  host: string,
): string[] {
  return [
    ...(asksModel(user.strategy)
      ? endpointVariables(user.endpoint.provider)
      : []),
    ...(isLoopback(host) ? [] : ["TAULAB_TOKEN"]),
    ROUTER_KEY,
  ];
}

/**
 * Plans how the job receives its secrets. They must not be recorded, so Ray's processes inherit them from the
 * environment of `ray start`.
 */
export function planSecrets(
  config: SlimeConfig,
  services: readonly PlannedService[],
): PlannedSecret[] {
  const { cluster } = config;
  const way = cluster.start
    ? "passed from this machine's environment to `ray start`, whose workers inherit it; not written to any file, command line or job"
    : "must be in the environment that the running Ray cluster was started with";
  const isOpen = services.some(({ listen }) =>
    listen !== null && !isLoopback(listen.host)
  );
  const isElsewhere = services.some(({ listen }) => listen === null);
  return [
    ...(isOpen || isElsewhere
      ? [{ name: "TAULAB_TOKEN", required: isOpen, way }]
      : []),
    ...(needsWandbKey(config)
      ? [{ name: "WANDB_API_KEY", required: true, way }]
      : []),
  ];
}

/** Plans the job to submit. */
export function planJob(
  config: SlimeConfig,
  { facts, hosts, directory, checkpoints, words, secrets, services }: {
    readonly facts: LaunchFacts;
    readonly hosts: readonly PlanHost[];
    readonly directory: string;
    /** The directory that contains the run's checkpoints. */
    readonly checkpoints: string;
    /** The arguments of train.py. */
    readonly words: readonly string[];
    readonly secrets: readonly PlannedSecret[];
    readonly services: readonly PlannedService[];
  },
): JobPlan {
  const { paths } = config;
  const { run, session } = facts;
  return {
    submissionId: session === 1 ? run : `${run}-${session}`,
    entrypoint: `cd ${quoteWords([paths.slime])} && exec ${
      quoteWords([paths.python, trainScript(config), ...words])
    }`,
    runtimeEnv: {
      env_vars: {
        ...jobVariables(config, { facts, hosts, directory, services }),
        ...trackingVariables(config, checkpoints),
        ...config.cluster.env,
      },
    },
    metadata: { [RUN_KEY]: run, taulab_session: String(session) },
    secrets,
  };
}

function jobVariables(
  { cluster, paths }: SlimeConfig,
  { facts, hosts, directory, services }: {
    readonly facts: LaunchFacts;
    readonly hosts: readonly PlanHost[];
    readonly directory: string;
    readonly services: readonly PlannedService[];
  },
): Record<string, string> {
  const nvlink = cluster.nvlink === "auto"
    ? facts.nvlink
    : cluster.nvlink === "yes";
  // generate.py and slime call these addresses directly, without a proxy.
  const direct = new Set([
    "127.0.0.1",
    "localhost",
    ...hosts.map(({ address }) => address),
    ...services.map(({ url }) => new URL(url).hostname),
  ]);
  return {
    PYTHONPATH: `${paths.megatron}:${directory}`,
    CUDA_DEVICE_MAX_CONNECTIONS: "1",
    ...(nvlink === null ? {} : { NCCL_NVLS_ENABLE: nvlink ? "1" : "0" }),
    no_proxy: [...direct].join(","),
    ...(hosts.length > 1 ? { MASTER_ADDR: hosts[0]!.address } : {}),
  };
}
