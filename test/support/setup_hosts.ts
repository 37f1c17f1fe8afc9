/** Hosts and repositories that are gone after the test. */

import { join } from "node:path";
import type { SetupOptions } from "../../train/slime/setup/setup_options.ts";
import type { HostReport } from "../../train/slime/setup/run_setup.ts";
import {
  installPrograms,
  type Repository,
  slimeRepository,
  tauBenchRepository,
  worldOptions,
} from "./setup_world.ts";
import { type FakeHost, fakeHost } from "./sshd.ts";
import { inTempDir } from "./temp_dir.ts";

/** What a test has. */
export interface World {
  readonly dir: string;
  readonly hosts: readonly FakeHost[];
  readonly slime: Repository;
  readonly tauBench: Repository;
  /** Where a host's programs write down what they were asked. */
  root(host: number): string;
  /** A file in a host's home. */
  home(host: number, path: string): string;
  options(set?: Readonly<Record<string, unknown>>): Promise<SetupOptions>;
}

/** Calls `body` with hosts that have their programs, a Megatron-LM, and nothing else. */
export async function inWorld(
  count: number,
  body: (world: World) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    await using stack = new AsyncDisposableStack();
    const hosts: FakeHost[] = [];
    for (let i = 1; i <= count; i++) {
      const host = stack.use(await fakeHost(dir, `gpu${i}`));
      await installPrograms(host.bin, join(dir, `gpu${i}`));
      await Deno.mkdir(join(host.home, "megatron/megatron/core"), {
        recursive: true,
      });
      hosts.push(host);
    }
    const slime = await slimeRepository(join(dir, "slime-source"));
    const tauBench = await tauBenchRepository(join(dir, "tau-source"));
    await body({
      dir,
      hosts,
      slime,
      tauBench,
      root: (host) => join(dir, `gpu${host + 1}`),
      home: (host, path) => join(hosts[host]!.home, path),
      options: (set = {}) =>
        worldOptions({
          hosts: hosts.map(({ host }) => host),
          slime,
          tauBench,
          set,
        }),
    });
  });
}

/** The states of a host's steps: `slime did, model waits`. */
export function states({ steps }: HostReport): string {
  return steps.map(({ id, state }) => `${id} ${state}`).join(", ");
}

/** Whether there is something at a path. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
