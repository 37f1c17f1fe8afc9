/**
 * Checks whether the container image was built for slime's commit, and whether Megatron-LM is at the commit that slime
 * pins. SGLang and Megatron-LM contain slime's patches, and another commit of slime may need other patches.
 *
 * @see slime `docker/version.txt`, `docker/justfile` and `docker/Dockerfile` at 624b824. Each commit contains the
 * version under which its image is published. An image contains a clone of slime, and the clone's reflog starts with
 * the commit that the image was built from.
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

/** The `image` check. */
export const check: Check = {
  id: "image",
  order: 62,
  title:
    "the image was built for slime's commit and the Megatron-LM version that it needs",
  run: ({ config, hosts, signal }) =>
    onEachHost(
      hosts,
      async (host) => judge(await readPins(host, { config, signal })),
    ),
};

/** The versions in a host's checkouts. An empty string means that a version is unknown. */
interface Pins {
  /** The commit of slime that is checked out. */
  readonly commit: string;
  /** The commit of slime that the image was built from. */
  readonly built: string;
  /** The version of the image for `commit`. */
  readonly wanted: string;
  /** The version of the image for `built`. */
  readonly image: string;
  /** The commit of Megatron-LM that slime's Dockerfile pins. */
  readonly pinned: string;
  /** The commit of Megatron-LM that is installed. */
  readonly megatron: string;
}

/** A script that prints lines of the form `NAME VALUE`. */
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
        `slime at ${
          short(commit)
        } needs the image ${wanted}, but the image on this host is ${image}`,
        `use that image with "deno task setup --image ${
          imageOf(wanted)
        }", or check out the commit that this image was built for with "deno task setup --slime-commit ${built}"`,
      )]
      : []),
    ...(pinned !== "" && megatron !== "" && pinned !== megatron
      ? [warn(
        `Megatron-LM is at ${short(megatron)}, but slime at ${
          short(commit)
        } needs ${short(pinned)}`,
        `use the image of slime's commit, or check out commit ${
          short(pinned)
        } of Megatron-LM and apply slime's patch`,
      )]
      : []),
  ];
  if (faults.length > 0) return faults;
  return [
    wanted === ""
      ? skipped("slime's checkout does not name the image that it needs")
      : image === ""
      ? skipped(
        "the history of slime's checkout does not show which image this host uses",
      )
      : pass(`slime at ${short(commit)} matches its image ${wanted}`),
  ];
}

function short(commit: string): string {
  return commit === "" ? "an unknown commit" : commit.slice(0, 9);
}
