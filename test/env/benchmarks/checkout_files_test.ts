import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { checkoutFiles as readerOf } from "../../../env/benchmarks/checkout_files.ts";
import { openCheckout } from "../../../env/benchmarks/tau/import/checkout.ts";
import {
  type Import,
  importTauBench,
} from "../../../env/benchmarks/tau/import/import_tau_bench.ts";
import { checkoutFiles } from "../../support/tau_checkout.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const WIKI = "tau_bench/envs/retail/wiki.md";
const SECRET = "a secret of the machine";

async function writeCheckout(root: string): Promise<void> {
  for (const [path, text] of checkoutFiles()) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
}

/**
 * Writes a checkout, damages it with `spoil`, and imports it. `outside` is the path of a secret file outside the
 * checkout.
 */
async function importing(
  spoil: (root: string, outside: string) => Promise<unknown>,
) {
  let imported: Import | undefined;
  await inTempDir(async (dir) => {
    const root = join(dir, "checkout");
    const outside = join(dir, "outside");
    await writeCheckout(root);
    await Deno.writeTextFile(outside, SECRET);
    await spoil(root, outside);
    const { signal } = new AbortController();
    await using checkout = await openCheckout({ from: root }, { signal });
    imported = await importTauBench(checkout);
  });
  return imported!;
}

async function replace(root: string, path: string, target: string) {
  await Deno.remove(join(root, path), { recursive: true });
  await Deno.symlink(target, join(root, path));
}

function run(command: string, ...args: string[]) {
  return new Deno.Command(command, { args }).output();
}

const HOSTILE: Readonly<
  Record<
    string,
    [spoil: (root: string, outside: string) => Promise<unknown>, RegExp]
  >
> = {
  "a link that leads out": [
    (root, outside) => replace(root, WIKI, outside),
    /Cannot read ".*wiki\.md": it resolves to .*, outside the checkout/,
  ],
  "a relative link that leads out": [
    (root) => replace(root, WIKI, "../../../../outside"),
    /wiki\.md": it resolves to .*, outside the checkout/,
  ],
  "a linked directory that leads out": [
    async (root, outside) => {
      const dir = join(dirname(outside), "data");
      await Deno.rename(join(root, "tau_bench/envs/retail/data"), dir);
      await Deno.symlink(dir, join(root, "tau_bench/envs/retail/data"));
    },
    /data\/\w+\.json": it resolves to .*, outside the checkout/,
  ],
  "a link in place of a source file": [
    (root) => replace(root, "tau_bench/envs/user.py", "/etc/passwd"),
    /user\.py": it resolves to .*, outside the checkout/,
  ],
  "links that form a cycle": [
    (root) => replace(root, WIKI, "wiki.md"),
    /wiki\.md": its links form a cycle/,
  ],
  "a pipe": [
    async (root) => {
      await Deno.remove(join(root, WIKI));
      await run("mkfifo", join(root, WIKI));
    },
    /wiki\.md": it is a pipe, not a file/,
  ],
  "a socket": [
    async (root) => {
      await Deno.remove(join(root, WIKI));
      // The socket file remains, since a killed process cannot remove it.
      const listen = `Deno.listen({ transport: "unix", path: Deno.args[0] });
        Deno.kill(Deno.pid, "SIGKILL");`;
      await run(Deno.execPath(), "eval", listen, join(root, WIKI));
    },
    /wiki\.md": it is a socket, not a file/,
  ],
  "a device": [
    (root) => replace(root, WIKI, "/dev/zero"),
    /wiki\.md": it resolves to "\/dev\/zero", outside the checkout/,
  ],
  "a directory in place of a file": [
    async (root) => {
      await Deno.remove(join(root, WIKI));
      await Deno.mkdir(join(root, WIKI));
    },
    /wiki\.md": it is a directory, not a file/,
  ],
  "a huge file": [
    async (root) => {
      await Deno.truncate(join(root, WIKI), 2 ** 40);
    },
    /wiki\.md": it exceeds the limit of 67108864 bytes per file/,
  ],
  "a HEAD that names a file outside": [
    async (root) => {
      await Deno.mkdir(join(root, ".git"));
      await Deno.writeTextFile(
        join(root, ".git/HEAD"),
        "ref: refs/../../../outside\n",
      );
    },
    /\.git\/HEAD:1: the file contains neither a commit/,
  ],
  "a HEAD that names an absolute path": [
    async (root, outside) => {
      await Deno.mkdir(join(root, ".git"));
      await Deno.writeTextFile(join(root, ".git/HEAD"), `ref: ${outside}\n`);
    },
    /\.git\/HEAD:1: the file contains neither a commit/,
  ],
  "a HEAD that is a link leading out": [
    async (root, outside) => {
      await Deno.mkdir(join(root, ".git"));
      await Deno.symlink(outside, join(root, ".git/HEAD"));
    },
    /\.git\/HEAD": it resolves to .*, outside the checkout/,
  ],
  "an invalid HEAD": [
    async (root) => {
      await Deno.mkdir(join(root, ".git"));
      await Deno.writeTextFile(join(root, ".git/HEAD"), "x".repeat(10_000));
    },
    /\.git\/HEAD:1: the file contains neither a commit/,
  ],
  "a ref that is a link leading out": [
    async (root, outside) => {
      await Deno.mkdir(join(root, ".git/refs/heads"), { recursive: true });
      await Deno.writeTextFile(join(root, ".git/HEAD"), "ref: refs/heads/m\n");
      await Deno.symlink(outside, join(root, ".git/refs/heads/m"));
    },
    /refs\/heads\/m": it resolves to .*, outside the checkout/,
  ],
  "a .git that is a link leading out": [
    async (root, outside) => {
      const git = join(dirname(outside), "git");
      await Deno.mkdir(git);
      await Deno.writeTextFile(join(git, "HEAD"), SECRET);
      await Deno.symlink(git, join(root, ".git"));
    },
    /\.git": it (resolves to .*, outside the checkout|is a directory)/,
  ],
  "a .git file that leads out": [
    (root, outside) =>
      Deno.writeTextFile(join(root, ".git"), `gitdir: ${dirname(outside)}\n`),
    /\.git:1: the file does not name a git directory inside the checkout/,
  ],
  "a .git file that leads out by a relative path": [
    (root) => Deno.writeTextFile(join(root, ".git"), "gitdir: ./a/../../b\n"),
    /\.git:1: the file does not name a git directory inside the checkout/,
  ],
  "an invalid .git file": [
    (root) => Deno.writeTextFile(join(root, ".git"), "secret\n"),
    /\.git:1: the file does not name a git directory/,
  ],
  "a pipe .git": [
    (root) => run("mkfifo", join(root, ".git")),
    /\.git": it is a pipe, not a file/,
  ],
};

for (const [what, [spoil, message]] of Object.entries(HOSTILE)) {
  Deno.test(`importTauBench() rejects a checkout with ${what} and reads nothing outside`, async () => {
    await assert.rejects(importing(spoil), (error: Error) => {
      assert.equal(error.name, "DataError", error.stack);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, new RegExp(SECRET));
      return true;
    });
  });
}

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

Deno.test("importTauBench() reads a checkout with internal links and a separate git directory", async () => {
  const { files } = await importing(async (root) => {
    await Deno.rename(join(root, WIKI), join(root, "wiki"));
    await Deno.symlink("../../../wiki", join(root, WIKI));
    await Deno.mkdir(join(root, "own/refs/heads"), { recursive: true });
    await Deno.writeTextFile(join(root, ".git"), "gitdir: own\n");
    await Deno.writeTextFile(join(root, "own/HEAD"), "ref: refs/heads/a-b.c\n");
    await Deno.writeTextFile(join(root, "own/refs/heads/a-b.c"), `${COMMIT}\n`);
  });
  assert.equal(files.get("retail/wiki.md"), "# retail\n");
  assert.equal(JSON.parse(files.get("SOURCE.json") ?? "").commit, COMMIT);
});

Deno.test("checkoutFiles() limits the total size of all files", () =>
  inTempDir(async (root) => {
    for (const name of ["a", "b", "c"]) {
      await Deno.writeTextFile(join(root, name), "x".repeat(10));
    }
    const read = readerOf(root, { maxFileBytes: 15, maxTotalBytes: 25 });
    assert.equal(await read(join(root, "a")), "x".repeat(10));
    assert.equal(await read(join(root, "none")), undefined);
    assert.equal(await read(join(root, "a", "none")), undefined);
    await read(join(root, "b"));
    await assert.rejects(
      read(join(root, "c")),
      /the checkout exceeds the total limit of 25 bytes; 20 were read from other files/,
    );
    await Deno.writeTextFile(join(root, "d"), "x".repeat(16));
    await assert.rejects(
      readerOf(root, { maxFileBytes: 15 })(join(root, "d")),
      /it exceeds the limit of 15 bytes per file/,
    );
  }));

Deno.test("openCheckout() says which part of the checkout's location is wrong", async () => {
  const { signal } = new AbortController();
  const cases = [
    [{}, /no checkout is given/],
    [{ git: "u" }, /--git needs a commit/],
    [{ commit: "c" }, /--commit needs a repository/],
    [{ from: "d", commit: "c" }, /: --commit cannot be used .* with --from/],
    [{ from: "d", git: "u", commit: "c" }, /--git and --commit cannot be/],
  ] as const;
  for (const [source, message] of cases) {
    await assert.rejects(openCheckout(source, { signal }), message);
  }
});
