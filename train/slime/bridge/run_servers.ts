/**
 * The episode servers of a run: started as its recipe says, looked after, ended.
 *
 *     await using services = await startServices(config, { recipePath, overrides, logDir });
 *     services.urls; // what generate.py is told
 */

import { join } from "node:path";
import { ConfigError, messageOf } from "../../../env/errors.ts";
import { retry, sleep } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { type ServerHost, serversHere } from "./server_host.ts";
import {
  askToStop,
  isHealthy,
  type ServiceProcess,
  type ServiceRecord,
  type ServiceSpec,
} from "./server_process.ts";

/** What happened to a server. */
export interface ServiceEvent {
  readonly type: "ready" | "died" | "restart_failed";
  readonly url: string;
  /** For people, in a line. */
  readonly message: string;
}

/** Settings of {@linkcode startServices}. */
export interface ServicesOptions
  extends CallOptions, Omit<ServiceSpec, "host" | "port" | "logPath"> {
  /** Holds `serve-0.log` and so on. */
  readonly logDir: string;
  readonly onEvent?: (event: ServiceEvent) => void;
  /** Where they listen on this machine. Default: the recipe's `cluster.address`; beyond loopback they demand TAULAB_TOKEN. */
  readonly host?: string;
  /** Where they run, in turn. Default: this machine. */
  readonly on?: readonly ServerHost[];
  /** The first one's port; the others follow. Default: the recipe's `bridge.port`; 0 takes free ones. */
  readonly port?: number;
  /** Until a server that does not get ready is given up. Default: 120 s. */
  readonly startTimeoutMs?: number;
  /** Servers that an earlier process of ours left running; those that still answer are taken over. */
  readonly adopt?: readonly ServiceRecord[];
}

/** Episode servers. Disposed of, they end, but for those that the recipe names as running already. */
export interface Services extends AsyncDisposable {
  readonly urls: readonly string[];
  /** What another process needs to adopt them, or to end them by {@linkcode stopServices}. Changes with restarts. */
  readonly records: readonly ServiceRecord[];
  /** Looks after them no more and leaves them running: the run goes on without us. */
  leave(): void;
}

const CHECK_EVERY_MS = 2_000;
const CHECKS_MISSED = 3;
const BACKOFF = { backoffMs: 100, maxBackoffMs: 30_000 } as const;
/** One that ran as long was not the fault of its start. */
const STEADY_MS = 60_000;
const STOP_GRACE_MS = 5_000;
const START_TIMEOUT_MS = 120_000;

/**
 * Starts the servers that a recipe asks for; one that dies, or does not answer for long, is started again.
 * @throws {HostError} If one does not get ready; then none is left running.
 * @throws {ConfigError} If the recipe names running ones and one of them does not answer.
 */
export async function startServices(
  config: SlimeConfig,
  options: ServicesOptions,
): Promise<Services> {
  const { services, processes, port } = config.bridge;
  if (services.length > 0) return await runningServices(services);
  await Deno.mkdir(options.logDir, { recursive: true });
  const first = options.port ?? port;
  const { on = [serversHere(options.host ?? config.cluster.address)] } =
    options;
  const kept = Array.from({ length: processes }, (_, index) => {
    const host = on[index % on.length]!;
    const { logDir, ...spec } = host.spec ?? options;
    return new KeptService({
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
 * Ends servers that an earlier process of ours left running.
 * @param reach Their URLs as this machine reaches them. Default: their own.
 * @returns Those that were still there.
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
      `bridge.services names ${url}, and no episode server answers there`,
      {
        hint:
          'start it by "deno task serve --recipe …", or leave bridge.services empty to have servers started',
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

/** How a server is kept. */
type KeptOptions = Omit<ServicesOptions, "on"> & { readonly on: ServerHost };

/** One server that is kept running until it is left or stopped. */
class KeptService {
  readonly #options: KeptOptions;
  readonly #end = new AbortController();
  #spec: ServiceSpec;
  #record: ServiceRecord | undefined;
  /** `undefined` where an earlier process started it. */
  #process: ServiceProcess | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #isLeft = false;

  constructor(spec: ServiceSpec, options: KeptOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get record(): ServiceRecord {
    if (this.#record !== undefined) return this.#record;
    throw new TypeError("The episode server has not been started");
  }

  /** Starts it, or takes over one that runs. */
  async start(running?: ServiceRecord): Promise<void> {
    if (running !== undefined) this.#stayAt(running.url);
    if (running !== undefined && await this.#isWell(running)) {
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
    if (heard) await orAfter(process.ended, STOP_GRACE_MS);
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
    this.#stayAt(this.#record.url);
    this.#report("ready", `process ${this.#record.pid}`);
  }

  /** A way there that is broken is no death. */
  async #isWell(record: ServiceRecord): Promise<boolean> {
    const { on } = this.#options;
    const url = await on.reach(record.url);
    return await isHealthy({ ...record, url }) ||
      (await on.vouch?.(record) ?? false);
  }

  /** generate.py has its address: it comes back where it was. */
  #stayAt(url: string): void {
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
      if (performance.now() - from > STEADY_MS) failures = 0;
      failures = await this.#restart(failures + 1);
    }
  }

  /** Why it is gone; `undefined` once it is not looked after any more. */
  async #death(): Promise<string | undefined> {
    const { signal } = this.#end;
    for (let missed = 0; missed < CHECKS_MISSED;) {
      const code = await this.#exitWithin(CHECK_EVERY_MS);
      if (signal.aborted) return undefined;
      if (code !== undefined) return `it ended with code ${code}`;
      missed = await this.#isWell(this.record) ? 0 : missed + 1;
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

  /** Tries until it runs again. @returns How often it has failed by then, if it dies soon. */
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

/** Waits for a promise, and no longer than so. */
async function orAfter(promise: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  const wait = sleep(ms, { signal: over.signal }).catch(() => {});
  await Promise.race([promise, wait]);
  over.abort();
}
