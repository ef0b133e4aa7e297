// What was dropped on the page, or chosen in its file dialog, as a source of a bundle.

import type { BundleSource } from "./protocol.ts";

/** A drop of more files than this is a mistake, for example a home folder. */
const MOST_FILES = 10_000;

/** The files of a drop, those of folders too; call it in the handler of the event, whose items live no longer. */
export async function dropped(data: DataTransfer): Promise<BundleSource & { kind: "files" }> {
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  // A drop that was made by a script has files and no entries.
  if (entries.length === 0) return { kind: "files", files: [...data.files] };
  const files: File[] = [];
  for (const entry of entries) await collect(entry, files);
  const folder = entries.find((entry) => entry.isDirectory)?.name;
  return { kind: "files", files, ...(folder !== undefined && { folder }) };
}

/** The files of a file dialog, with the name of the folder if one was chosen. */
export function chosen(list: FileList): BundleSource & { kind: "files" } {
  const files = [...list];
  const [folder, rest] = files[0]?.webkitRelativePath.split("/") ?? [];
  return { kind: "files", files, ...(folder && rest !== undefined && { folder }) };
}

async function collect(entry: FileSystemEntry, files: File[]): Promise<void> {
  if (files.length > MOST_FILES) throw new Error(`more than ${MOST_FILES} files were dropped; drop one bundle folder or the files of one`);
  if (entry.isFile) {
    files.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives its entries in portions, and an empty one at the end.
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return;
    for (const child of portion) await collect(child, files);
  }
}
