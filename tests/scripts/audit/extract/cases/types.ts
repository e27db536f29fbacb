// Generics, decorators and arrows are no obstacle.
export class Limiter<T extends Record<string, string>> {
  private static readonly SCRIPT: string = /* lua */ `
    local n = redis.call('INCR', KEYS[1])
    if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return n`;
  @Inject("it's") name!: string;
  async run(key: string): Promise<number> {
    return (await this.client.eval(
      "return redis.call('GET', KEYS[1] .. ARGV[1])", { keys: [key] })) as number;
  }
}
// expect: script 3:55 declared 89b66c46
// expect: script 10:8 derived 73dde779
// expect: ES104 10:33
