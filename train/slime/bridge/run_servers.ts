/**
 * Starts the episode servers of a run according to its recipe, keeps them running, and stops them.
 *
 *     await using services = await startServices(config, { recipePath, overrides, logDir });
 *     services.urls; // the URLs to pass to generate.py
 */

import { join } from "node:path";
import { ConfigError, messageOf } from "../../../env/errors.ts";
import { retry, sleep } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { localServers, type ServerHost } from "./server_host.ts";
import {
  askToStop,
  isHealthy,
  type ServiceProcess,
  type ServiceRecord,
  type ServiceSpec,
} from "./server_process.ts";

/** A change in a server's state. */
export interface ServiceEvent {
  readonly type: "ready" | "died" | "restart_failed";
  readonly url: string;
  /** A description for users, in one line. */
  readonly message: string;
}

/** Options for {@linkcode startServices}. */
export interface ServicesOptions
  extends CallOptions, Omit<ServiceSpec, "host" | "port" | "logPath"> {
  /** The directory for the servers' logs: `serve-0.log`, `serve-1.log` and so on. */
  readonly logDir: string;
  readonly onEvent?: (event: ServiceEvent) => void;
  /**
   * The address on which the servers listen if `on` is not set. Default: the recipe's `cluster.address`. Addresses
   * other than loopback require the environment variable `TAULAB_TOKEN`.
   */
  readonly host?: string;
  /** The hosts that run the servers. The servers are assigned to them in turn. Default: this machine. */
  readonly on?: readonly ServerHost[];
  /**
   * The first server's port; the others use the following ports. Default: the recipe's `bridge.port`; 0 picks free
   * ports.
   */
  readonly port?: number;
  /** The time limit in milliseconds for a server to become ready. Default: 120,000. */
  readonly startTimeoutMs?: number;
  /**
   * The records of servers that an earlier process left running, in their original order. Servers that are still alive
   * are taken over; the others are started again on the same ports. Default: none.
   */
  readonly adopt?: readonly ServiceRecord[];
}

/**
 * The episode servers of a run. Disposing of them stops the servers, except for servers that the recipe lists as
 * already running. After {@linkcode Services.leave}, disposing has no effect.
 */
export interface Services extends AsyncDisposable {
  readonly urls: readonly string[];
  /**
   * The records that another process needs to adopt the servers, or to stop them with {@linkcode stopServices}. The
   * records change when a server restarts. Empty if the recipe lists running servers.
   */
  readonly records: readonly ServiceRecord[];
  /** Stops watching the servers and leaves them running, so that the run continues without this process. */
  leave(): void;
}

const CHECK_EVERY_MS = 2_000;
const CHECKS_MISSED = 3;
const BACKOFF = { backoffMs: 100, maxBackoffMs: 30_000 } as const;
/** The uptime in milliseconds after which the earlier failures of a server no longer lengthen the backoff. */
const STABLE_MS = 60_000;
const STOP_GRACE_MS = 5_000;
const START_TIMEOUT_MS = 120_000;

/**
 * Starts the servers of a recipe, or uses the servers that the recipe lists as already running. A server that was
 * started here and then exits or stops answering is restarted.
 * @throws {HostError} If a server does not become ready, or its host has another dataset. All other servers are then
 * stopped.
 * @throws {ConfigError} If a running server that the recipe lists does not answer.
 */
export async function startServices(
  config: SlimeConfig,
  options: ServicesOptions,
): Promise<Services> {
  const { services, processes, port } = config.bridge;
  if (services.length > 0) return await runningServices(services);
  await Deno.mkdir(options.logDir, { recursive: true });
  const first = options.port ?? port;
  const { on = [localServers(options.host ?? config.cluster.address)] } =
    options;
  const kept = Array.from({ length: processes }, (_, index) => {
    const host = on[index % on.length]!;
    const { logDir, ...spec } = host.spec ?? options;
    return new WatchedService({
      ...spec,
      ...(options.env === undefined ? {} : { env: options.env }),
      host: host.address,
      port: first === 0 ? 0 : first + index,
      logPath: join(logDir, `serve-${index}.log`),
    }, { ...options, on: host });
  });
  const started = await Promise.allSettled(
    kept.map((service, index) => service.start(options.adopt?.[index])),
  );
  const failed = started.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") {
    await Promise.all(kept.map((service) => service.stop()));
    throw failed.reason;
  }
  return {
    urls: kept.map(({ record }) => record.url),
    get records() {
      return kept.map(({ record }) => record);
    },
    leave: () => kept.forEach((service) => service.leave()),
    async [Symbol.asyncDispose]() {
      await Promise.all(kept.map((service) => service.stop()));
    },
  };
}

/**
 * Sends a stop request to each server that an earlier process left running.
 * @param reach Turns a server's URL into a URL that this machine can reach. Default: the URL is used unchanged.
 * @returns The records of the servers that accepted the request to stop.
 */
export async function stopServices(
  records: readonly ServiceRecord[],
  reach: (record: ServiceRecord) => Promise<string> = ({ url }) =>
    Promise.resolve(url),
): Promise<ServiceRecord[]> {
  const heard = await Promise.all(
    records.map(async (record) =>
      await askToStop({ ...record, url: await reach(record) })
    ),
  );
  return records.filter((_, index) => heard[index]);
}

async function runningServices(urls: readonly string[]): Promise<Services> {
  for (const url of urls) {
    const signal = AbortSignal.timeout(5_000);
    const answer = await fetch(`${url}/health`, { signal }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) continue;
    throw new ConfigError(
      `No episode server answers at ${url} (bridge.services)`,
      {
        hint:
          'start it with "deno task serve --recipe …", or set bridge.services to [] to start servers with the run',
      },
    );
  }
  return {
    urls,
    records: [],
    leave: () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Options for {@linkcode WatchedService}. */
type WatchedOptions = Omit<ServicesOptions, "on"> & { readonly on: ServerHost };

/** An episode server that is restarted whenever it dies, until it is stopped or left running without supervision. */
class WatchedService {
  readonly #options: WatchedOptions;
  readonly #end = new AbortController();
  #spec: ServiceSpec;
  #record: ServiceRecord | undefined;
  /** The server's process; `undefined` if it runs on another host, or an earlier process started it. */
  #process: ServiceProcess | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #isLeft = false;

  constructor(spec: ServiceSpec, options: WatchedOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get record(): ServiceRecord {
    if (this.#record !== undefined) return this.#record;
    throw new TypeError("The episode server has not been started");
  }

  /** Starts the server, or takes over `running` if that server is alive. */
  async start(running?: ServiceRecord): Promise<void> {
    if (running !== undefined) this.#keepPort(running.url);
    if (running !== undefined && await this.#isAlive(running)) {
      this.#record = running;
      this.#report("ready", "taken over");
    } else {
      await this.#spawn(this.#options.signal);
    }
    this.#keeping = this.#keep();
  }

  leave(): void {
    this.#isLeft = true;
    this.#process?.unref();
    this.#end.abort();
  }

  async stop(): Promise<void> {
    if (this.#isLeft) return;
    this.#end.abort();
    await this.#keeping;
    const record = this.#record;
    if (record === undefined) return;
    const process = this.#process;
    const { on } = this.#options;
    const url = await on.reach(record.url).catch(() => record.url);
    const heard = await askToStop({ ...record, url });
    if (process === undefined) {
      if (!heard) await on.kill?.(record);
      return;
    }
    if (heard) await waitAtMost(process.ended, STOP_GRACE_MS);
    process.kill();
    await process.ended;
  }

  async #spawn(signal: AbortSignal | undefined): Promise<void> {
    const { record, process } = await this.#options.on.start(this.#spec, {
      timeoutMs: this.#options.startTimeoutMs ?? START_TIMEOUT_MS,
      signal,
    });
    this.#process = process;
    this.#record = record;
    this.#keepPort(this.#record.url);
    this.#report("ready", `process ${this.#record.pid}`);
  }

  /** Checks whether the server is alive: it answers this machine, or its host reports that it is running. */
  async #isAlive(record: ServiceRecord): Promise<boolean> {
    const { on } = this.#options;
    const url = await on.reach(record.url);
    return await isHealthy({ ...record, url }) ||
      (await on.isRunning?.(record) ?? false);
  }

  /** Makes restarts use the same port, because generate.py already has the server's address. */
  #keepPort(url: string): void {
    this.#spec = { ...this.#spec, port: Number(new URL(url).port) };
  }

  async #keep(): Promise<void> {
    let failures = 0;
    while (!this.#end.signal.aborted) {
      const from = performance.now();
      const why = await this.#death();
      if (why === undefined) return;
      this.#report("died", why);
      this.#process?.kill();
      await this.#options.on.kill?.(this.record);
      if (performance.now() - from > STABLE_MS) failures = 0;
      failures = await this.#restart(failures + 1);
    }
  }

  /**
   * Waits until the server exits or misses several health checks in a row.
   * @returns The reason, or `undefined` if the server is no longer watched.
   */
  async #death(): Promise<string | undefined> {
    const { signal } = this.#end;
    for (let missed = 0; missed < CHECKS_MISSED;) {
      const code = await this.#exitWithin(CHECK_EVERY_MS);
      if (signal.aborted) return undefined;
      if (code !== undefined) return `it exited with status ${code}`;
      missed = await this.#isAlive(this.record) ? 0 : missed + 1;
    }
    return signal.aborted
      ? undefined
      : `it missed ${CHECKS_MISSED} health checks`;
  }

  async #exitWithin(ms: number): Promise<number | undefined> {
    const over = new AbortController();
    const wait = sleep(ms, {
      signal: AbortSignal.any([over.signal, this.#end.signal]),
    }).then(() => undefined, () => undefined);
    const exit = this.#process?.ended.then(({ code }) => code);
    const code = await Promise.race(exit === undefined ? [wait] : [wait, exit]);
    over.abort();
    return code;
  }

  /**
   * Starts the server again, and retries with a backoff until it is ready or no longer watched.
   * @param failures The number of failures in a row before this restart.
   * @returns The number of failures in a row so far. If the server dies again soon, the backoff continues from this
   * number.
   */
  async #restart(failures: number): Promise<number> {
    const { signal } = this.#end;
    try {
      return await retry(async (retries) => {
        await this.#spawn(signal);
        return retries;
      }, {
        ...BACKOFF,
        failures,
        signal,
        onRetry: ({ error }) =>
          this.#report("restart_failed", messageOf(error)),
      });
    } catch (error) {
      if (signal.aborted) return failures;
      throw error;
    }
  }

  #report(type: ServiceEvent["type"], message: string): void {
    const { url = `http://${this.#spec.host}:${this.#spec.port}` } =
      this.#record ?? {};
    this.#options.onEvent?.({ type, url, message });
  }
}

/** Waits for a promise for at most `ms` milliseconds. */
async function waitAtMost(
  promise: Promise<unknown>,
  ms: number,
): Promise<void> {
  const over = new AbortController();
  const wait = sleep(ms, { signal: over.signal }).catch(() => {});
  await Promise.race([promise, wait]);
  over.abort();
}
