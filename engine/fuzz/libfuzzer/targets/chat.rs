#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    causeway_fuzz::Target::Chat.judge(input);
});
