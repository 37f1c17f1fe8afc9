/**
 * Whether the image is the one that slime's commit was made for: SGLang and Megatron-LM carry patches of slime's,
 * and a checkout that was moved inside its image may need others.
 *
 * @see slime `docker/version.txt`, `docker/justfile` and `docker/Dockerfile` at 624b824: the commit names the nightly
 * that its image is published as, and the image is made from a clone whose first commit is in its reflog.
 */

import { quoteWords, type Shell } from "../../hosts/shell.ts";
import { imageOf } from "../../setup/pins.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type Observed,
  onEachHost,
  pass,
  skipped,
  warn,
} from "../check.ts";

/** The check `image`. */
export const check: Check = {
  id: "image",
  order: 62,
  title:
    "slime's commit and its Megatron-LM are those that the image was made for",
  run: ({ config, hosts, signal }) =>
    onEachHost(
      hosts,
      async (host) => judge(await readPins(host, { config, signal })),
    ),
};

/** What a host's checkouts say; empty where one does not. */
interface Pins {
  /** slime's commit, and the one it had when the image was made. */
  readonly commit: string;
  readonly built: string;
  /** Images of these two commits. */
  readonly wanted: string;
  readonly image: string;
  /** The commit of Megatron-LM that slime's Dockerfile names, and the one that is there. */
  readonly pinned: string;
  readonly megatron: string;
}

/** Lines of `NAME VALUE`. */
const SCRIPT = `
git() { command git -c safe.directory='*' "$@" 2>/dev/null; }
built=$(sed -n '1s/^[0-9a-f]* \\([0-9a-f]*\\) .*/\\1/p' "$1/.git/logs/HEAD" 2>/dev/null)
echo "commit $(git -C "$1" rev-parse HEAD)"
echo "built $built"
echo "wanted $(cat "$1/docker/version.txt" 2>/dev/null)"
echo "image $(git -C "$1" show "$built:docker/version.txt")"
echo "pinned $(sed -n 's/^ARG MEGATRON_COMMIT=//p' "$1/docker/Dockerfile" 2>/dev/null)"
echo "megatron $(git -C "$2" rev-parse HEAD)"
`;

async function readPins(
  host: Shell,
  { config: { paths }, signal }: {
    readonly config: SlimeConfig;
    readonly signal: AbortSignal;
  },
): Promise<Pins> {
  const { stdout } = await host.run({
    script: quoteWords(["sh", "-c", SCRIPT, "sh", paths.slime, paths.megatron]),
  }, { signal });
  const value = (name: string) =>
    new RegExp(`^${name} (\\S+)$`, "m").exec(stdout)?.[1] ?? "";
  return {
    commit: value("commit"),
    built: value("built"),
    wanted: value("wanted"),
    image: value("image"),
    pinned: value("pinned"),
    megatron: value("megatron"),
  };
}

function judge(pins: Pins): Observed[] {
  const { commit, built, wanted, image, pinned, megatron } = pins;
  const faults = [
    ...(wanted !== "" && image !== "" && wanted !== image
      ? [warn(
        `slime is at ${
          short(commit)
        }, whose image is ${wanted}, and this image is ${image}`,
        `take the image by "deno task setup --image ${
          imageOf(wanted)
        }", or the commit it was made with by --slime-commit ${built}`,
      )]
      : []),
    ...(pinned !== "" && megatron !== "" && pinned !== megatron
      ? [warn(
        `Megatron-LM is at ${short(megatron)}, and slime at ${
          short(commit)
        } is made for ${short(pinned)}`,
        "take the image of that commit, or check Megatron-LM out there with slime's patch",
      )]
      : []),
  ];
  if (faults.length > 0) return faults;
  return [
    wanted === "" || image === ""
      ? skipped("slime's checkout does not say which image it is made for")
      : pass(`slime at ${short(commit)} and its image are of ${wanted}`),
  ];
}

function short(commit: string): string {
  return commit.slice(0, 9);
}
