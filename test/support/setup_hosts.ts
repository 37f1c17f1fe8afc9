/** Provides temporary hosts and repositories for tests of `deno task setup`. */

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

/** The hosts and the repositories of a test. */
export interface World {
  readonly dir: string;
  readonly hosts: readonly FakeHost[];
  readonly slime: Repository;
  readonly tauBench: Repository;
  /** Returns the directory where the programs of a host record their calls. `host` is the host's index, from 0. */
  root(host: number): string;
  /** Returns the path of a file in the home directory of a host. `host` is the host's index, from 0. */
  home(host: number, path: string): string;
  options(set?: Readonly<Record<string, unknown>>): Promise<SetupOptions>;
}

/** Calls `body` with temporary hosts that have fake programs and a Megatron-LM checkout. */
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

/** Formats the states of a host's steps, for example as `slime ran, model waiting`. */
export function states({ steps }: HostReport): string {
  return steps.map(({ id, state }) => `${id} ${state}`).join(", ");
}

/** Checks whether a path exists. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
