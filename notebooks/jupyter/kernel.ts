/** Installs Deno's Jupyter kernel. */

import { join } from "node:path";

/** The name of the kernel that the notebooks use. */
export const KERNEL = "deno";

/**
 * Writes a kernel specification that runs the current Deno executable, regardless of the `PATH`.
 * @param dir A directory that is on `JUPYTER_PATH`.
 * @see https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
 * @returns The path of the written `kernel.json`.
 */
export async function writeKernel(dir: string): Promise<string> {
  const place = join(dir, "kernels", KERNEL);
  await Deno.mkdir(place, { recursive: true });
  const spec = {
    argv: [
      Deno.execPath(),
      "jupyter",
      "--kernel",
      "--conn",
      "{connection_file}",
    ],
    display_name: "Deno",
    language: "typescript",
  };
  const file = join(place, "kernel.json");
  await Deno.writeTextFile(file, `${JSON.stringify(spec, null, 2)}\n`);
  return file;
}

/**
 * Installs Deno's kernel for the current user, so that other Jupyter installations and VS Code can find it.
 * @returns Whether the installation succeeded, and the output of the installation command.
 */
export async function installKernel(
  { force, signal }: { readonly force: boolean; readonly signal?: AbortSignal },
): Promise<{ readonly success: boolean; readonly said: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--install", ...(force ? ["--force"] : [])],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(signal === undefined ? {} : { signal }),
  }).output();
  const said = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes))
    .join("\n");
  return { success, said: said.trim() };
}
