/** The text of generate.py, slime's hooks, which a launch writes to the hosts. */
export function readHooks(): Promise<string> {
  return Deno.readTextFile(new URL("./generate.py", import.meta.url));
}
