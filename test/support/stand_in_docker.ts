/**
 * Installs a stand-in for `docker` on test hosts. It runs commands in another root directory; see `stand_in_docker.sh`.
 */

import { dirname, join } from "node:path";
import { runProgram } from "./programs.ts";

const SCRIPT = new URL("./stand_in_docker.sh", import.meta.url);

/** Whether this account may create the namespaces that stand in for containers. */
export const HAS_NAMESPACES = await runProgram("unshare", [
  ...["--mount", "--pid", "--fork", "--net"],
  ...["sh", "-c", "mount --make-rprivate / && command -v nsenter"],
]).then(() => true, () => false);

/** The contents of an image. */
export interface ImageFiles {
  /**
   * Directories of this machine to mount in addition to `/usr` and `/etc`. The suffix ` rw` makes a directory writable.
   */
  readonly binds?: readonly string[];
  /** Environment variables that the image sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** The texts of files, keyed by absolute path. A file that begins with `#!` is executable. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The stand-in for Docker on a host. Disposing of it removes its containers. */
export interface StandInDocker extends AsyncDisposable {
  /** Makes an image available to `docker pull`. */
  publish(image: string, content?: ImageFiles): Promise<void>;
  /**
   * Runs the stand-in `docker` on the host.
   * @returns Its standard output.
   */
  docker(...args: string[]): Promise<string>;
  /** Returns the path by which this machine can access the file `path` of a container. */
  inside(container: string, path: string): string;
  /** Sets whether the Docker daemon responds. */
  answers(does: boolean): Promise<void>;
}

const SYSTEM = ["/usr", "/etc"];
const IMAGE_ENV = {
  HOME: "/root",
  PATH: "/opt/image/bin:/usr/local/bin:/usr/bin:/bin",
};
const LINKS = ["bin", "lib", "lib64", "sbin"];

/**
 * Installs the stand-in for Docker on a host.
 * @param bin A directory on the host's PATH.
 * @param state The directory where images and containers are stored.
 */
export async function installDocker(
  bin: string,
  state: string,
): Promise<StandInDocker> {
  const script = await Deno.readTextFile(SCRIPT);
  const program = join(bin, "docker");
  await Deno.writeTextFile(program, script.replace("@STATE@", state), {
    mode: 0o755,
  });
  await Deno.mkdir(join(state, "containers"), { recursive: true });
  return {
    async publish(image, { binds = [], files = {}, env = {} } = {}) {
      const dir = join(state, "registry", image.replaceAll(/[/:@]/g, "_"));
      await Deno.mkdir(join(dir, "root/root"), { recursive: true });
      for (const link of LINKS) {
        await Deno.symlink(`usr/${link}`, join(dir, "root", link));
      }
      for (const [path, text] of Object.entries(files)) {
        const file = join(dir, "root", path);
        await Deno.mkdir(dirname(file), { recursive: true });
        await Deno.writeTextFile(file, text, {
          mode: text.startsWith("#!") ? 0o755 : 0o644,
        });
      }
      const all = [...SYSTEM, ...binds].map((bind) => `${bind}\n`).join("");
      await Deno.writeTextFile(join(dir, "binds"), all);
      await Deno.writeTextFile(
        join(dir, "env"),
        Object.entries({ ...IMAGE_ENV, ...env }).map((pair) => pair.join("="))
          .join(" "),
      );
    },
    docker: (...args) => runProgram(program, args),
    inside: (container, path) =>
      join(state, "containers", container, "root", path),
    async answers(does) {
      const down = join(state, "down");
      if (does) await Deno.remove(down);
      else await Deno.writeTextFile(down, "");
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(join(state, "down")).catch(() => {});
      const containers = Deno.readDir(join(state, "containers"));
      for await (const { name } of containers) {
        await runProgram(program, ["rm", "-f", name]);
      }
    },
  };
}
