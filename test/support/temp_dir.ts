/** A directory that is gone after the test. */

/** Calls `body` with an empty directory, and removes it whatever happens. */
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
