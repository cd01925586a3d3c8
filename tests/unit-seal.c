/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/seal: header, key derivation, AEAD, replay window. */

#include <config.h>
#include "unit-seal.h"

#include <string.h>
#include "command-line.h"
#include "seal/gcm.h"
#include "seal/replay.h"
#include "seal/wire.h"
#include "util.h"

size_t
from_hex(const char *hex, uint8_t *bytes, size_t size)
{
    size_t n = strlen(hex) / 2;

    CHECK(n <= size && strlen(hex) % 2 == 0, "%s", hex);
    for (size_t i = 0; i < n; i++) {
        bool ok;

        bytes[i] = hexits_value(hex + 2 * i, 2, &ok);
        CHECK(ok, "%s", hex);
    }
    return n;
}

struct aead_key
make_key(enum aead_algorithm algorithm, uint32_t spi, uint32_t vni)
{
    struct aead_key key = { .spi = spi, .vni = vni, .algorithm = algorithm };
    uint8_t bytes[SECRET_MAX_LEN];

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    secret_set(&key.secret, bytes, aead_key_len(algorithm));
    return key;
}

/* Header. */

static const struct {
    const char *hex;
    enum wire_error error;
    struct wire_header header;
} headers[] = {
    { "00001389000000a170dbd880a1b2c3d40000000000000005", WIRE_OK,
      { WIRE_FRAME, false, 5001, 161, 0x70dbd880a1b2c3d4, 5 } },
    { "08001389000000a170dbd880a1b2c3d40000000000000005", WIRE_OK,
      { WIRE_FRAME, true, 5001, 161, 0x70dbd880a1b2c3d4, 5 } },
    { "01ffffffffffffffffffffffffffffffffffffffffffffff", WIRE_OK,
      { WIRE_OAM, false, 0xffffff, UINT32_MAX, UINT64_MAX, UINT64_MAX } },
    { "09000000000000000000000000000000000000000000000f", WIRE_OK,
      { WIRE_OAM, true, 0, 0, 0, 15 } },
    { "02abcdef0123456789abcdef0123456776543210fedcba98", WIRE_OK,
      { WIRE_FRAGMENT, false, 0xabcdef, 0x01234567, 0x89abcdef01234567,
        0x76543210fedcba98 } },
    { "03001389000000a170dbd880a1b2c3d40000000000000005", WIRE_BAD_TYPE,
      { .vni = 0 } },
    { "07001389000000a170dbd880a1b2c3d40000000000000005", WIRE_BAD_TYPE,
      { .vni = 0 } },
    { "0b001389000000a170dbd880a1b2c3d40000000000000005", WIRE_BAD_TYPE,
      { .vni = 0 } },
    { "10001389000000a170dbd880a1b2c3d40000000000000005", WIRE_BAD_VERSION,
      { .vni = 0 } },
    { "f0001389000000a170dbd880a1b2c3d40000000000000005", WIRE_BAD_VERSION,
      { .vni = 0 } },
};

static void
test_header(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        const struct wire_header *want = &headers[i].header;
        uint8_t datagram[WIRE_SEAL_LEN] = { 0 };
        uint8_t written[WIRE_HEADER_LEN];
        struct wire_header got;

        CHECK(from_hex(headers[i].hex, datagram, sizeof datagram)
              == WIRE_HEADER_LEN);
        CHECK(wire_validate(datagram, sizeof datagram) == headers[i].error,
              "row %"PRIuSIZE, i);
        if (headers[i].error) {
            continue;
        }

        wire_parse(datagram, &got);
        CHECK(got.type == want->type && got.replicated == want->replicated
              && got.vni == want->vni && got.spi == want->spi
              && got.session == want->session
              && got.sequence == want->sequence, "row %"PRIuSIZE, i);
        wire_serialize(want, written);
        CHECK(!memcmp(written, datagram, sizeof written), "row %"PRIuSIZE, i);

        wire_put_sequence(written, want->sequence + 1);
        wire_parse(written, &got);
        CHECK(got.sequence == want->sequence + 1
              && got.session == want->session, "row %"PRIuSIZE, i);
    }
}

/* Each length is a block of exactly that size on the heap, at the end of
 * which an address sanitizer watches. */
static void
test_header_truncated(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t n = 0; n <= WIRE_SEAL_LEN; n++) {
        uint8_t *datagram = xzalloc(n);

        CHECK(wire_validate(datagram, n)
              == (n < WIRE_SEAL_LEN ? WIRE_TRUNCATED : WIRE_OK),
              "%"PRIuSIZE" bytes", n);
        free(datagram);
    }

    uint8_t *longest = xzalloc(WIRE_MAX_LEN + 1);

    CHECK(wire_validate(longest, WIRE_MAX_LEN) == WIRE_OK, "longest");
    CHECK(wire_validate(longest, WIRE_MAX_LEN + 1) == WIRE_TOO_LONG, "longer");
    free(longest);
}

static void
test_mtu(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        int underlay;
        sa_family_t family;
        int inner;
    } rows[] = {
        { 1500, AF_INET, 1418 },
        { 1500, AF_INET6, 1398 },
        { 9000, AF_INET, 8918 },
        { 1280, AF_INET6, 1178 },
        { 82, AF_INET, 0 },
        { 0, AF_INET6, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(wire_inner_mtu(rows[i].underlay, rows[i].family)
              == rows[i].inner, "row %"PRIuSIZE, i);
    }
}

static void
test_tunnel_address(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint32_t address;
        uint32_t number;        /* 0: none. */
    } rows[] = {
        { 0xf0000001, 1 },
        { 0xf0000009, 9 },
        { 0xfffffffe, WIRE_NODE_MAX },
        { 0xffffffff, 0 },
        { 0xf0000000, 0 },
        { 0x0a000009, 0 },
        { 0xe0000009, 0 },
        { 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(wire_node_number(htonl(rows[i].address)) == rows[i].number,
              "row %"PRIuSIZE, i);
        if (rows[i].number) {
            CHECK(wire_tunnel_address(rows[i].number)
                  == htonl(rows[i].address), "row %"PRIuSIZE, i);
        }
    }
}

/* Key derivation. */

/* RFC 5869, appendix A, test cases 1 to 3. */
static const struct {
    const char *ikm, *salt, *info, *okm;
} hkdf_vectors[] = {
    { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
      "000102030405060708090a0b0c",
      "f0f1f2f3f4f5f6f7f8f9",
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
      "34007208d5b887185865" },
    { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
      "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
      "404142434445464748494a4b4c4d4e4f",
      "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
      "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
      "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
      "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
      "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
      "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
    { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
      "9d201395faa4b61a96c8" },
};

static void
test_hkdf(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(hkdf_vectors); i++) {
        uint8_t ikm[80], salt[80], info[80], want[82], got[82];
        struct aead_hkdf in = {
            .ikm = ikm, .salt = salt, .info = info,
            .ikm_len = from_hex(hkdf_vectors[i].ikm, ikm, sizeof ikm),
            .salt_len = from_hex(hkdf_vectors[i].salt, salt, sizeof salt),
            .info_len = from_hex(hkdf_vectors[i].info, info, sizeof info),
        };
        size_t n = from_hex(hkdf_vectors[i].okm, want, sizeof want);

        CHECK(aead_hkdf_sha256(&in, got, n), "test case %"PRIuSIZE, i + 1);
        CHECK(!memcmp(got, want, n), "test case %"PRIuSIZE, i + 1);
    }
}

/* Traffic keys, and datagrams sealed with them, computed from the text of
 * DESIGN.md, section 2.1, by another implementation (Python's cryptography).
 * The sequence is 0x100000002, the frame the 64 bytes 100, 101, ... 163. */
static const struct {
    enum aead_algorithm algorithm;
    const char *sender;
    uint64_t session;
    uint32_t spi, vni;
    const char *traffic;
    enum wire_type type;
    bool replicated;
    uint32_t receiver;
    const char *datagram;
} datagrams[] = {
    { AEAD_AES128GCM, "00112233445566778899aabbccddeeff",
      UINT64_C(0x70dbd880a1b2c3d4), 161, 5001,
      "3449e1131fb8bb7e00bdef3b53ef9deb", WIRE_FRAME, false, 9,
      "00001389000000a170dbd880a1b2c3d40000000100000002b745d875b032a09f9063"
      "f528ac0a8ee0dd60bfe71cdedd413fae43ae69d98bdecef192b35b2b870201f3bd26"
      "8b490f19a5d20e1be60db4effc9879a89093908bc516ca828542f3b7f2c0e589c9f8"
      "7c6c" },
    { AEAD_AES128GCM, "00112233445566778899aabbccddeeff",
      UINT64_C(0x70dbd880a1b2c3d4), 161, 5001,
      "3449e1131fb8bb7e00bdef3b53ef9deb", WIRE_FRAME, true, 0,
      "08001389000000a170dbd880a1b2c3d40000000100000002b745d875b032a09f9063"
      "f528ac0a8ee0dd60bfe71cdedd413fae43ae69d98bdecef192b35b2b870201f3bd26"
      "8b490f19a5d20e1be60db4effc9879a89093908b03d022fe87ef5e4c9e59aede30d2"
      "7d8e" },
    { AEAD_AES256GCM,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      UINT64_C(0x0123456789abcdef), 0xdeadbeef, 0xabcdef,
      "6225b9ed7d9a415625b3bb0f5ce9c06ec93eb93443096b9fa875230f0e4805ce",
      WIRE_OAM, false, WIRE_NODE_MAX,
      "01abcdefdeadbeef0123456789abcdef0000000100000002f0c458d060e2959f91de"
      "1a26ca731fdf0c038527d7bc7ba5521ea5dddf7be18b021f50181000f6ec617ebc74"
      "cd703c2b9bf3cae6e35ece784b7afae8d944119c8b8e0ee69d341774e6acdc5556c7"
      "2a4e" },
    { AEAD_AES256GCM,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      UINT64_C(0x0123456789abcdef), 0xdeadbeef, 0xabcdef,
      "6225b9ed7d9a415625b3bb0f5ce9c06ec93eb93443096b9fa875230f0e4805ce",
      WIRE_FRAME, true, 0,
      "08abcdefdeadbeef0123456789abcdef0000000100000002f0c458d060e2959f91de"
      "1a26ca731fdf0c038527d7bc7ba5521ea5dddf7be18b021f50181000f6ec617ebc74"
      "cd703c2b9bf3cae6e35ece784b7afae8d944119c5c1f08e48baea5c2ad9103916ff8"
      "12af" },
};

enum { FRAME_LEN = 64, DATAGRAM_LEN = FRAME_LEN + WIRE_SEAL_LEN };

static void
make_frame(uint8_t frame[FRAME_LEN])
{
    for (size_t i = 0; i < FRAME_LEN; i++) {
        frame[i] = 100 + i;
    }
}

static struct aead_key
datagram_key(size_t i)
{
    struct aead_key key = {
        .spi = datagrams[i].spi,
        .vni = datagrams[i].vni,
        .algorithm = datagrams[i].algorithm,
    };

    CHECK(secret_from_hex(&key.secret, datagrams[i].sender,
                          strlen(datagrams[i].sender),
                          aead_key_len(key.algorithm)));
    return key;
}

static void
test_derive(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
        struct aead_key key = datagram_key(i);
        struct secret traffic;
        char hex[SECRET_HEX_SIZE];

        CHECK(aead_derive(&key, datagrams[i].session, &traffic));
        secret_to_hex(&traffic, hex);
        CHECK(!strcmp(hex, datagrams[i].traffic), "row %"PRIuSIZE, i);

        /* A sender key of the wrong length derives nothing. */
        key.secret.len--;
        CHECK(!aead_derive(&key, datagrams[i].session, &traffic));
        CHECK(!traffic.len);
    }
}

static struct aead *
datagram_aead(size_t i, enum aead_direction direction)
{
    struct aead_key key = datagram_key(i);
    struct aead *aead = aead_create_session(&key, datagrams[i].session,
                                            direction);
    CHECK(aead);
    return aead;
}

static void
test_seal(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
        struct wire_header header = {
            datagrams[i].type, datagrams[i].replicated, datagrams[i].vni,
            datagrams[i].spi, datagrams[i].session, 0x100000002,
        };
        struct aead *aead = datagram_aead(i, AEAD_SEAL);
        uint8_t frame[FRAME_LEN], want[DATAGRAM_LEN], got[DATAGRAM_LEN];

        make_frame(frame);
        from_hex(datagrams[i].datagram, want, sizeof want);
        wire_serialize(&header, got);
        CHECK(aead_seal(aead, got, frame, FRAME_LEN, datagrams[i].receiver));
        CHECK(!memcmp(got, want, sizeof got), "row %"PRIuSIZE, i);

        /* In place. */
        memcpy(got + WIRE_HEADER_LEN, frame, FRAME_LEN);
        CHECK(aead_seal(aead, got, got + WIRE_HEADER_LEN, FRAME_LEN,
                        datagrams[i].receiver));
        CHECK(!memcmp(got, want, sizeof got), "row %"PRIuSIZE, i);

        /* In pieces, one of them empty. */
        const struct iovec iov[] = {
            { frame, 14 }, { frame + 14, 0 }, { frame + 14, 1 },
            { frame + 15, FRAME_LEN - 15 },
        };
        memset(got + WIRE_HEADER_LEN, 0, FRAME_LEN + WIRE_TAG_LEN);
        CHECK(aead_seal_iov(aead, got, iov, ARRAY_SIZE(iov),
                            datagrams[i].receiver));
        CHECK(!memcmp(got, want, sizeof got), "row %"PRIuSIZE, i);
        aead_destroy(aead);
    }
}

static void
test_open(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
        struct aead *aead = datagram_aead(i, AEAD_OPEN);
        uint8_t want[FRAME_LEN], got[FRAME_LEN], datagram[DATAGRAM_LEN];
        static const uint8_t zeros[FRAME_LEN];

        make_frame(want);
        from_hex(datagrams[i].datagram, datagram, sizeof datagram);
        CHECK(aead_open(aead, datagram, sizeof datagram,
                        datagrams[i].receiver, got));
        CHECK(!memcmp(got, want, sizeof got), "row %"PRIuSIZE, i);

        /* Only a replicated one opens at another node. */
        CHECK(aead_open(aead, datagram, sizeof datagram,
                        datagrams[i].receiver + 1, got)
              == datagrams[i].replicated, "row %"PRIuSIZE, i);
        CHECK(!memcmp(got, datagrams[i].replicated ? want : zeros,
                      sizeof got), "row %"PRIuSIZE, i);

        /* The bit can't be taken away or added. */
        datagram[0] ^= WIRE_REPLICATED;
        CHECK(!aead_open(aead, datagram, sizeof datagram,
                         datagrams[i].receiver, got), "row %"PRIuSIZE, i);
        datagram[0] ^= WIRE_REPLICATED;

        CHECK(aead_open(aead, datagram, sizeof datagram,
                        datagrams[i].receiver, datagram + WIRE_HEADER_LEN));
        CHECK(!memcmp(datagram + WIRE_HEADER_LEN, want, sizeof want));
        aead_destroy(aead);
    }
}

/* An empty frame seals and opens. */
static void
test_seal_empty(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t datagram[WIRE_SEAL_LEN];
    struct aead *seal = datagram_aead(0, AEAD_SEAL);
    struct aead *open = datagram_aead(0, AEAD_OPEN);

    from_hex("00001389000000a170dbd880a1b2c3d40000000000000000",
             datagram, sizeof datagram);
    CHECK(aead_seal(seal, datagram, NULL, 0, 9));
    CHECK(aead_open(open, datagram, sizeof datagram, 9,
                    datagram + WIRE_HEADER_LEN));
    CHECK(!aead_open(open, datagram, sizeof datagram, 8,
                     datagram + WIRE_HEADER_LEN));
    aead_destroy(seal);
    aead_destroy(open);
}

/* Cut at every length and changed in every bit, a datagram does not open, and
 * leaves only zeros. */
static void
test_tampered(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
        struct aead *aead = datagram_aead(i, AEAD_OPEN);
        uint8_t datagram[DATAGRAM_LEN], got[FRAME_LEN];
        static const uint8_t zeros[FRAME_LEN];

        from_hex(datagrams[i].datagram, datagram, sizeof datagram);
        for (size_t n = WIRE_SEAL_LEN; n < DATAGRAM_LEN; n++) {
            uint8_t *cut = xmemdup(datagram, n);

            CHECK(!aead_open(aead, cut, n, datagrams[i].receiver,
                             cut + WIRE_HEADER_LEN), "%"PRIuSIZE" bytes", n);
            CHECK(!memcmp(cut + WIRE_HEADER_LEN, zeros, n - WIRE_SEAL_LEN));
            free(cut);
        }
        for (size_t bit = 0; bit < DATAGRAM_LEN * 8; bit++) {
            datagram[bit / 8] ^= 1 << bit % 8;
            memset(got, 0xff, sizeof got);
            CHECK(!aead_open(aead, datagram, sizeof datagram,
                             datagrams[i].receiver, got),
                  "bit %"PRIuSIZE, bit);
            CHECK(!memcmp(got, zeros, sizeof got), "bit %"PRIuSIZE, bit);
            datagram[bit / 8] ^= 1 << bit % 8;
        }
        CHECK(aead_open(aead, datagram, sizeof datagram,
                        datagrams[i].receiver, got));
        aead_destroy(aead);
    }
}

/* AES-GCM. */

/* NIST CAVP, gcmEncryptExtIV128.rsp and gcmEncryptExtIV256.rsp (128 bits each
 * of plaintext and associated data, first vector), and test cases 4 and 16 of
 * the GCM specification submitted to NIST. */
static const struct {
    const char *key, *nonce, *aad, *plain, *sealed;
} gcm_vectors[] = {
    { "c939cc13397c1d37de6ae0e1cb7c423c", "b3d8cc017cbb89b39e0f67e2",
      "24825602bd12a984e0092d3e448eda5f",
      "c3b3c41f113a31b73d9a5cd432103069",
      "93fe7d9e9bfd10348a5606e5cafa7354"
      "0032a1dc85f1c9786925a2e71d8272dd" },
    { "92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b",
      "ac93a1a6145299bde902f21a", "1e0889016f67601c8ebea4943bc23ad6",
      "2d71bcfa914e4ac045b2aa60955fad24",
      "8995ae2e6df3dbf96fac7b7137bae67f"
      "eca5aa77d51d4a0a14d9c51e1da474ab" },
    { "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
      "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
      "5bc94fbc3221a5db94fae95ae7121a47" },
    { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
      "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b" },
    /* Test cases 1 and 13: nothing but a tag. */
    { "00000000000000000000000000000000", "000000000000000000000000", "", "",
      "58e2fccefa7e3061367f1d57a4e7455a" },
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "", "",
      "530f8afbc74536b9a963b4f1c4cb738b" },
};

/* Seals and opens row 'i' with the library in use. */
static void
check_gcm_vector(size_t i)
{
    uint8_t key[32], aad[32], plain[64], want[80], got[80];
    struct gcm_clear clear = {
        .aad = aad,
        .aad_len = from_hex(gcm_vectors[i].aad, aad, sizeof aad),
    };
    size_t key_len = from_hex(gcm_vectors[i].key, key, sizeof key);
    size_t n = from_hex(gcm_vectors[i].plain, plain, sizeof plain);
    struct gcm *seal = gcm_create(key, key_len, GCM_SEAL);
    struct gcm *open = gcm_create(key, key_len, GCM_OPEN);
    const struct iovec iov = { plain, n };
    const struct iovec pieces[] = {
        { plain, n / 3 }, { plain, 0 }, { plain + n / 3, n - n / 3 },
    };

    CHECK(seal && open);
    from_hex(gcm_vectors[i].nonce, clear.nonce, sizeof clear.nonce);
    CHECK(from_hex(gcm_vectors[i].sealed, want, sizeof want)
          == n + GCM_TAG_LEN);

    /* Twice: a context serves any number of messages. */
    for (int round = 0; round < 2; round++) {
        CHECK(gcm_seal(seal, &clear, &iov, 1, got));
        CHECK(!memcmp(got, want, n + GCM_TAG_LEN), "row %"PRIuSIZE, i);
        memset(got, 0, sizeof got);
        CHECK(gcm_seal(seal, &clear, pieces, ARRAY_SIZE(pieces), got));
        CHECK(!memcmp(got, want, n + GCM_TAG_LEN), "row %"PRIuSIZE, i);
        CHECK(gcm_open(open, &clear, want, n, got));
        CHECK(!memcmp(got, plain, n), "row %"PRIuSIZE, i);

        /* In place, and then with each byte of the tag wrong. */
        memcpy(got, want, n + GCM_TAG_LEN);
        CHECK(gcm_open(open, &clear, got, n, got) && !memcmp(got, plain, n));
        for (int j = 0; j < GCM_TAG_LEN; j++) {
            memcpy(got, want, n + GCM_TAG_LEN);
            got[n + j] ^= 1;
            CHECK(!gcm_open(open, &clear, got, n, got));
            CHECK(is_all_zeros(got, n));
        }
    }
    gcm_destroy(seal);
    gcm_destroy(open);
    CHECK(!gcm_create(key, key_len - 1, GCM_SEAL));
}

/* "gcm LIBRARY"; exits with 77 if the library is not to be had. */
static void
test_gcm(struct ovs_cmdl_context *ctx)
{
    enum gcm_library library = GCM_OPENSSL;

    while (strcmp(gcm_library_name(library), ctx->argv[1])) {
        CHECK(++library < GCM_N_LIBRARIES);
    }
    if (!gcm_use_library(library)) {
        exit(77);
    }
    for (size_t i = 0; i < ARRAY_SIZE(gcm_vectors); i++) {
        check_gcm_vector(i);
    }
}

/* What one library seals the others open, of all lengths. */
static void
test_gcm_lengths(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static uint8_t plain[1500], sealed[1500 + GCM_TAG_LEN], got[1500];
    const uint8_t key[32] = { 1, 2, 3 }, aad[28] = { 4, 5 };
    const struct gcm_clear clear = {
        .nonce = { 6 }, .aad = aad, .aad_len = sizeof aad,
    };

    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = i * 7;
    }
    for (size_t key_len = 16; key_len <= 32; key_len += 16) {
        for (int i = 0; i < GCM_N_LIBRARIES * GCM_N_LIBRARIES; i++) {
            if (!gcm_use_library(i / GCM_N_LIBRARIES)) {
                continue;
            }
            struct gcm *seal = gcm_create(key, key_len, GCM_SEAL);
            if (!gcm_use_library(i % GCM_N_LIBRARIES)) {
                gcm_destroy(seal);
                continue;
            }
            struct gcm *open = gcm_create(key, key_len, GCM_OPEN);
            for (size_t n = 0; n <= sizeof plain; n++) {
                const struct iovec iov = { plain, n };

                CHECK(gcm_seal(seal, &clear, &iov, 1, sealed));
                CHECK(gcm_open(open, &clear, sealed, n, got)
                      && !memcmp(got, plain, n), "%d %"PRIuSIZE, i, n);
            }
            gcm_destroy(seal);
            gcm_destroy(open);
        }
    }
}

/* Replay window. */

enum { W = REPLAY_WINDOW };

/* What each step expects, one window for each run of rows up to END. */
enum step { NEW, SEEN, OLD, FLOOR, END };

static const struct {
    uint64_t sequence;
    enum step step;
} replay_steps[] = {
    /* The first ones, in order, repeated. */
    { 0, NEW }, { 0, SEEN }, { 1, NEW }, { 1, SEEN }, { 0, SEEN }, { 0, END },

    /* Out of order within the window. */
    { 9, NEW }, { 8, NEW }, { 7, NEW }, { 7, SEEN }, { 6, NEW }, { 5, NEW },
    { 9, SEEN }, { 0, NEW }, { 0, SEEN }, { 0, END },

    /* The window's far edge: exactly REPLAY_WINDOW sequences are in it. */
    { W, NEW }, { 1, NEW }, { 0, OLD }, { 1, SEEN }, { W - 1, NEW },
    { W - 1, SEEN }, { W + 1, NEW }, { 1, OLD }, { 2, NEW }, { 0, END },

    /* At the seam of words, and where the ring comes round. */
    { 63, NEW }, { 64, NEW }, { 63, SEEN }, { 64, SEEN }, { 62, NEW },
    { 64 * REPLAY_WORDS - 1, NEW }, { 64 * REPLAY_WORDS, NEW },
    { 64 * REPLAY_WORDS, SEEN }, { 64 * REPLAY_WORDS - 1, SEEN },
    { 64, OLD }, { 65, NEW }, { 64 * REPLAY_WORDS - W, OLD },
    { 64 * REPLAY_WORDS - W + 1, SEEN }, { 0, END },

    /* A jump over the whole ring forgets no bit and invents none. */
    { 5, NEW }, { 5 + 10 * W, NEW }, { 5, OLD }, { 5 + 9 * W, OLD },
    { 6 + 9 * W, NEW }, { 5 + 10 * W, SEEN }, { 5 + 9 * W + W / 2, NEW },
    { 5 + 9 * W + W / 2, SEEN }, { 0, END },

    /* A jump that ends in the same word of the ring. */
    { 3, NEW }, { 3 + 64 * REPLAY_WORDS, NEW }, { 4, OLD },
    { 2 + 64 * REPLAY_WORDS, NEW }, { 3 + 64 * REPLAY_WORDS, SEEN },
    { 0, END },

    /* A jump over the whole ring clears the window's oldest word too. */
    { 70, NEW }, { 64 * 2 * REPLAY_WORDS, NEW },
    { 64 * (REPLAY_WORDS + 1) + 6, NEW }, { 70, OLD }, { 0, END },

    /* The end of the range. */
    { UINT64_MAX - 1, NEW }, { UINT64_MAX - 1, SEEN }, { UINT64_MAX, OLD },
    { UINT64_MAX - W, NEW }, { UINT64_MAX - W - 1, OLD }, { 0, OLD },
    { 0, END },

    /* A floor. */
    { 70, FLOOR }, { 70, SEEN }, { 0, SEEN }, { 69, SEEN }, { 71, NEW },
    { 71, SEEN }, { 70, SEEN }, { 128, NEW }, { 127, NEW }, { 0, END },
    { 0, FLOOR }, { 0, SEEN }, { 1, NEW }, { 0, END },
    { 10 * W, FLOOR }, { 9 * W, OLD }, { 9 * W + 1, SEEN }, { 10 * W, SEEN },
    { 10 * W + 1, NEW }, { 10 * W + 63, NEW }, { 10 * W + 62, NEW },
    { 11 * W, NEW }, { 10 * W + 64, NEW }, { 10 * W + 1, SEEN }, { 0, END },

    /* A floor behind the window's head changes nothing; one ahead does. */
    { 100, NEW }, { 50, FLOOR }, { 49, NEW }, { 100, SEEN }, { 200, FLOOR },
    { 150, SEEN }, { 201, NEW }, { 0, END },
};

static void
test_replay(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct replay window;

    replay_init(&window);
    for (size_t i = 0; i < ARRAY_SIZE(replay_steps); i++) {
        uint64_t sequence = replay_steps[i].sequence;
        enum step step = replay_steps[i].step;

        if (step == END) {
            replay_init(&window);
        } else if (step == FLOOR) {
            replay_set_floor(&window, sequence);
        } else {
            enum replay_verdict want = (step == NEW ? REPLAY_NEW
                                        : step == SEEN ? REPLAY_SEEN
                                        : REPLAY_OLD);
            struct replay before = window;

            /* Checking changes nothing, however often. */
            CHECK(replay_check(&window, sequence) == want,
                  "step %"PRIuSIZE, i);
            CHECK(replay_check(&window, sequence) == want);
            CHECK(!memcmp(&before, &window, sizeof window));

            CHECK(replay_commit(&window, sequence) == want,
                  "step %"PRIuSIZE, i);
        }
    }
}

/* Against a plain array of flags, with pseudo-random steps. */
static void
test_replay_model(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { RANGE = 40 * W };
    uint8_t *seen = xzalloc(RANGE);
    uint64_t head = 0;          /* 1 + highest. */
    uint32_t random = 12345;
    struct replay window;

    replay_init(&window);
    for (int i = 0; i < 400000; i++) {
        random = random * 1664525 + 1013904223;

        uint32_t back = (random >> 8) % (W + 200);
        uint64_t sequence = head + (random >> 24) % 4;
        sequence = random & 128 ? MAX(sequence, back) - back : sequence;
        if (random >> 16 == 7) {
            sequence += W + 100;
        }
        if (sequence >= RANGE) {
            break;
        }

        enum replay_verdict want
            = (sequence + W < head ? REPLAY_OLD
               : seen[sequence] ? REPLAY_SEEN
               : REPLAY_NEW);
        CHECK(replay_commit(&window, sequence) == want,
              "step %d, sequence %"PRIu64", head %"PRIu64,
              i, sequence, head);
        seen[sequence] = 1;
        head = MAX(head, sequence + 1);
    }
    CHECK(head > 2 * W, "%"PRIu64, head);

    uint64_t highest;
    CHECK(replay_highest(&window, &highest) && highest == head - 1);
    replay_init(&window);
    CHECK(!replay_highest(&window, &highest));
    free(seen);
}

static const struct ovs_cmdl_command commands[] = {
    { "header", NULL, 0, 0, test_header, OVS_RO },
    { "header-truncated", NULL, 0, 0, test_header_truncated, OVS_RO },
    { "mtu", NULL, 0, 0, test_mtu, OVS_RO },
    { "tunnel-address", NULL, 0, 0, test_tunnel_address, OVS_RO },
    { "hkdf", NULL, 0, 0, test_hkdf, OVS_RO },
    { "derive", NULL, 0, 0, test_derive, OVS_RO },
    { "gcm", NULL, 1, 1, test_gcm, OVS_RO },
    { "gcm-lengths", NULL, 0, 0, test_gcm_lengths, OVS_RO },
    { "seal", NULL, 0, 0, test_seal, OVS_RO },
    { "open", NULL, 0, 0, test_open, OVS_RO },
    { "seal-empty", NULL, 0, 0, test_seal_empty, OVS_RO },
    { "tampered", NULL, 0, 0, test_tampered, OVS_RO },
    { "secret", NULL, 0, 0, test_secret, OVS_RO },
    { "replay", NULL, 0, 0, test_replay, OVS_RO },
    { "replay-model", NULL, 0, 0, test_replay_model, OVS_RO },
    { "draw", NULL, 0, 0, test_draw, OVS_RO },
    { "draw-exhausted", NULL, 0, 0, test_draw_exhausted, OVS_RO },
    { "nonces-unique", NULL, 0, 0, test_nonces_unique, OVS_RO },
    { "draw-threads", NULL, 0, 0, test_draw_threads, OVS_RO },
    { "receive", NULL, 0, 0, test_receive, OVS_RO },
    { "unauthenticated", NULL, 0, 0, test_unauthenticated, OVS_RO },
    { "evict", NULL, 0, 0, test_evict, OVS_RO },
    { "budget", NULL, 0, 0, test_budget, OVS_RO },
    { "dormant", NULL, 0, 0, test_dormant, OVS_RO },
    { "newest", NULL, 0, 0, test_newest, OVS_RO },
    { "state-round-trip", NULL, 0, 0, test_state_round_trip, OVS_RO },
    { "state-empty", NULL, 0, 0, test_state_empty, OVS_RO },
    { "state-bad", NULL, 0, 0, test_state_bad, OVS_RO },
    { "state-retain", NULL, 0, 0, test_state_retain, OVS_RO },
    { "keyring-good", NULL, 0, 0, test_keyring_good, OVS_RO },
    { "keyring-bad", NULL, 0, 0, test_keyring_bad, OVS_RO },
    { "keyring-truncated", NULL, 0, 0, test_keyring_truncated, OVS_RO },
    { "keyring-limits", NULL, 0, 0, test_keyring_limits, OVS_RO },
    { "keyring-api", NULL, 0, 0, test_keyring_api, OVS_RO },
    { "keyring-file", NULL, 0, 0, test_keyring_file, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    if (argc < 2) {
        ovs_fatal(0, "usage: %s TEST", argv[0]);
    }
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
