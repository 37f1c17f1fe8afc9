/**
 * The vocabulary of generated people: names, addresses and cards. All words are lower case, so that users spell names
 * exactly as the rows do.
 */

/** Given names. */
export const FIRST_NAMES = words(
  "ada ben cleo dina eli fay gus hana iris jon kaya leo mina ned otis pia quin rosa sam tess uma vera wes yana zeno abel bea cora dov elsa finn greta hugo ines jude kurt lena milo nora omri",
);

/** Family names. */
export const LAST_NAMES = words(
  "abbott baker castro dalton ekberg fisher gomez hale imai jensen keller lund marsh nolan ortiz parker quist rivers stone tanaka ulrich vance weber xavier young zimmer archer blum carver dixon ellis frost gray holt irving joyce kent larsen moss norton",
);

/** Street names, without house numbers. */
export const STREETS = words(
  "acorn birch canal dairy ember fern grove harbor ivy juniper kiln linden mill north orchard pine quarry ridge spring tower union valley willow yarrow",
).map((name) => `${name} street`);

/** Cities, each with its state. */
export const CITIES = [
  ["salem", "ma"],
  ["dayton", "oh"],
  ["fresno", "ca"],
  ["laredo", "tx"],
  ["tampa", "fl"],
  ["boise", "id"],
  ["wichita", "ks"],
  ["mesa", "az"],
  ["akron", "oh"],
  ["reno", "nv"],
  ["provo", "ut"],
  ["macon", "ga"],
  ["utica", "ny"],
  ["flint", "mi"],
  ["omaha", "ne"],
  ["duluth", "mn"],
] as const;

/** Brands of credit cards. */
export const CARD_BRANDS = ["visa", "mastercard"] as const;

function words(text: string): readonly string[] {
  return text.split(" ");
}
