/** Finds and runs programs on this machine. */

/** Checks whether a program is installed by running it. Its exit status does not matter. */
export async function hasProgram(
  name: string,
  ...args: string[]
): Promise<boolean> {
  try {
    await new Deno.Command(name, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs a program to its end.
 * @returns The program's standard output.
 * @throws {Error} If the program fails. The message contains its stderr.
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } =
    {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(name, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code === 0) return decode(stdout);
  throw new Error(`${name} ${args.join(" ")}: ${decode(stderr)}`);
}
