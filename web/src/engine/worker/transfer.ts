// Which buffers of a message can change hands instead of being copied.

/** The buffers of all typed arrays within; views of parts of a larger buffer are left to be copied. */
export function transferables(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  collect(value, found);
  return [...found];
}

function collect(value: unknown, found: Set<ArrayBuffer>): void {
  if (typeof value !== "object" || value === null) return;
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
    return;
  }
  for (const part of Object.values(value)) {
    if (typeof part === "object") collect(part, found);
  }
}
