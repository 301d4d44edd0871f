/** One step of a change to a text, in the manner of the Quill delta. Lengths are UTF-16 code units. */
export type DeltaOp = { readonly retain: number } | { readonly insert: string } | { readonly delete: number };

/** A change to a text: steps from its beginning. What lies behind the last step stays. */
export type Delta = readonly DeltaOp[];
