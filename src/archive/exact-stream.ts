/** The same slices, as many bytes as were announced: fewer or more are an error, and the message is not stored. */
export async function* exactly(slices: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const slice of slices) {
    bytes += slice.length;
    if (bytes > size) break;
    yield slice;
  }
  if (bytes !== size) throw new RangeError(`a message of ${size} bytes came with ${bytes > size ? 'more' : bytes}`);
}
