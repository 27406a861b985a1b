// The least that a durable ingest of a directory costs: every regular file read, hashed with SHA-256 and written to a file
// of its own, by two threads, and one syncfs(2) at the end. No names, no tree, no database.
//
//     cc -O2 -pthread floor.c -lcrypto -o floor && ./floor SOURCE TARGET
#define _GNU_SOURCE
#include <fcntl.h>
#include <fts.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char **paths;
static long count;
static atomic_long next;
static int target;

static void *work(void *unused) {
    const size_t size = 1 << 20;
    char *buffer = malloc(size), name[24];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    unsigned char digest[32];
    for (long index; (index = atomic_fetch_add(&next, 1)) < count;) {
        int from = open(paths[index], O_RDONLY);
        snprintf(name, sizeof name, "%02lx/%lx", index & 255, index);
        int to = openat(target, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (from < 0 || to < 0) exit(1);
        EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
        for (ssize_t got; (got = read(from, buffer, size)) > 0;) {
            EVP_DigestUpdate(hash, buffer, got);
            if (write(to, buffer, got) != got) exit(1);
        }
        EVP_DigestFinal_ex(hash, digest, NULL);
        close(from);
        close(to);
    }
    return unused;
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    char *roots[] = {argv[1], NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    long room = 0;
    for (FTSENT *entry; (entry = fts_read(walk));) {
        if (entry->fts_info != FTS_F) continue;
        if (count == room) paths = realloc(paths, sizeof *paths * (room = room ? room * 2 : 1024));
        paths[count++] = strdup(entry->fts_path);
    }
    target = open(argv[2], O_RDONLY | O_DIRECTORY);
    if (target < 0) return 1;
    for (int shard = 0; shard < 256; shard++) {
        char name[4];
        snprintf(name, sizeof name, "%02x", shard);
        mkdirat(target, name, 0755);
    }
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    return syncfs(target) != 0;
}
