/** Checks TypeScript files as an app's compiler would. */
import ts from "typescript";

export type Resolution = "bundler" | "node";

/** One sentence for each thing the compiler finds wrong. */
export function faultsOf(files: readonly string[], resolution: Resolution): string[] {
  const program = ts.createProgram({
    rootNames: files,
    options: {
      target: ts.ScriptTarget.ES2022,
      module: resolution === "node" ? ts.ModuleKind.NodeNext : ts.ModuleKind.ESNext,
      moduleResolution: resolution === "node" ? ts.ModuleResolutionKind.NodeNext : ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      jsx: ts.JsxEmit.ReactJSX,
      types: [],
      strict: true,
      noEmit: true,
      // The declarations that are published are part of what is checked; those of others are theirs.
      skipLibCheck: false,
      skipDefaultLibCheck: true,
    },
  });
  const ours = ts.getPreEmitDiagnostics(program).filter(({ file }) => !isOthers(file?.fileName ?? ""));
  return ours.map((fault) => {
    const sentence = ts.flattenDiagnosticMessageText(fault.messageText, "\n");
    if (fault.file === undefined) return sentence;
    const { line } = fault.file.getLineAndCharacterOfPosition(fault.start ?? 0);
    return `${fault.file.fileName}:${line + 1} ${sentence}`;
  });
}

function isOthers(path: string): boolean {
  return path.includes("/node_modules/") && !path.includes("/node_modules/@causeway/");
}
