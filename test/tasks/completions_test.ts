import assert from "node:assert/strict";
import { join } from "node:path";
import { SHELLS } from "../../tasks/_completion_scripts.ts";
import { ROOT } from "../support/documents.ts";
import { runTask } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

/** Incomplete command lines, each with the only completion of its last word. */
const COMPLETED = [
  ["task tra", "train"],
  ["task completions ba", "bash"],
  ["task train --dry", "--dry-run"],
  ["task train --agent rea", "react"],
  ["task train --recipe tau-air", "tau-airline"],
  ["task evaluate --export tau-", "tau-bench"],
  ["task build:", "build:wasm"],
] as const;

/**
 * A program for each shell. For each line of stdin, it completes the last word of `deno LINE`, as TAB would, and prints
 * the resulting line. `$1` is the completion script, and `$2` is the working directory. In bash, the program calls the
 * registered function as readline does.
 */
const DRIVERS = {
  bash: `source "$1"; cd "$2"
while read -r line; do
  COMP_WORDS=(deno $line); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=()
  _taulab deno
  COMP_WORDS[COMP_CWORD]=\${COMPREPLY[*]}
  echo "\${COMP_WORDS[*]:1}"
done`,
  zsh: `zmodload zsh/zpty
until_has() {
  local out= chunk=
  while [[ $out != *$1* ]]; do zpty -r z chunk || exit 1; out+=$chunk; done
  print -r -- "$out" | tr -d '\\r' | sed -n "s/.*$1\\\\[\\\\(.*\\\\)\\\\].*/\\\\1/p"
}
zpty z zsh -f -i
zpty -w z "cd $2; PS1=; autoload -U compinit; compinit -u -D; source $1; deno() { print -r -- \\"RAN[\\$*]\\" }; print REA''DY"
until_has READY
while read -r line; do
  zpty -w -n z "deno $line"$'\\t\\n'
  until_has RAN
done
zpty -d z`,
  fish: `source $argv[1]; cd $argv[2]
while read -l line
    set -l words (string split ' ' -- $line)
    set -l found (complete -C "deno $line" | string replace -r '\\t.*' '')
    echo $words[1..-2] $found
end`,
} as const;

function isThere(shell: string): boolean {
  return ["/bin", "/usr/bin", "/usr/local/bin"].some((dir) => {
    try {
      return Deno.statSync(join(dir, shell)).isFile;
    } catch {
      return false;
    }
  });
}

for (const shell of SHELLS) {
  Deno.test({
    name:
      `completions ${shell} completes tasks, flags and values (needs ${shell})`,
    ignore: !isThere(shell),
    fn: () =>
      inTempDir(async (dir) => {
        const { code, stdout, stderr } = await runTask("completions", [shell]);
        assert.equal(code, 0, stderr);
        const [script, driver] = [join(dir, "script"), join(dir, "driver")];
        await Deno.writeTextFile(script, stdout);
        await Deno.writeTextFile(driver, DRIVERS[shell]);
        const child = new Deno.Command(shell, {
          args: [...shell === "zsh" ? ["-f"] : [], driver, script, ROOT],
          env: { HOME: dir },
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        const writer = child.stdin.getWriter();
        const lines = COMPLETED.map(([line]) => `${line}\n`).join("");
        await writer.write(new TextEncoder().encode(lines));
        await writer.close();
        const output = await child.output();
        const text = new TextDecoder().decode(output.stdout);
        assert.deepEqual(
          text.trim().split("\n"),
          COMPLETED.map(([line, word]) => line.replace(/\S+$/, word)),
          new TextDecoder().decode(output.stderr),
        );
      }),
  });
}

Deno.test("completions lists the supported shells", async () => {
  for (const args of [[], ["tcsh"]]) {
    const { code, stderr } = await runTask("completions", args);
    assert.equal(code, 2);
    assert.match(stderr, /hint: pass one of bash, zsh, fish/);
  }
});
