// A GGUF file of whatever bytes: its keys, its tensors, and which model it is.
#include "hostile.hpp"
#include "vectors/fingerprint.hpp"
#include "vectors/gguf_file.hpp"

using namespace llamood;

namespace {

constexpr const char* keys[] = {
    "a", "b", "general.alignment", "general.architecture", "llamood.method", "llamood.direction_0"};

void read_key(const GgufFile& file, const std::string& key) {
    hostile::is_read([&] { file.text(key); });
    hostile::is_read([&] { file.number(key); });
    hostile::is_read([&] { file.whole(key); });
    hostile::is_read([&] { file.integer(key); });
    hostile::is_read([&] { file.numbers(key); });
    hostile::is_read([&] { file.doubles(key); });
    hostile::is_read([&] { file.integers(key); });
    hostile::is_read([&] { file.texts(key); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const hostile::Folder folder;
    const std::string path = folder.put("a.gguf", data, size);
    hostile::is_read([&] { fingerprint(path); });
    hostile::is_read([&] {
        const GgufHeader header(path);
        for (const GgufHeader::Tensor& tensor : header.tensors()) {
            hostile::is_read([&] { header.data(tensor); });
        }
        hostile::is_read([&] { header.require_order(); });
    });
    hostile::is_read([&] {
        const GgufFile file(path);
        for (const char* key : keys) read_key(file, key);
        for (int i = 0; i < file.n_tensor(); ++i) {
            file.shape(file.tensor_name(i));
            hostile::is_read([&] { file.read(file.tensor_name(i)); });
        }
    });
    return 0;
}
