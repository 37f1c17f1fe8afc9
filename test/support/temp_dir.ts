/** Creates temporary directories for tests. */

/** Calls `body` with an empty temporary directory, which is always removed afterwards. */
export async function inTempDir(
  body: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
