/* The least that materializing by hard links costs: links NAMES BLOBS ROOT, with two threads, each a directory at a time.
 *
 * NAMES has lines "D directory", each before what is in it, "L blob<TAB>name" and "S name" for a file and a symbolic link in
 * the directory named last. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct line { char kind; char *blob, *name; };
static struct line *lines;
static size_t count, *directories, directory_count;
static atomic_size_t next;
static int blobs, root;

static void fail(const char *what) { perror(what); exit(1); }

static void *work(void *unused) {
    for (size_t taken; (taken = atomic_fetch_add(&next, 1)) < directory_count;) {
        size_t first = directories[taken];
        const char *path = *lines[first].name ? lines[first].name : ".";
        int directory = openat(root, path, O_PATH | O_DIRECTORY);
        if (directory < 0) fail(path);
        for (size_t i = first + 1; i < count && lines[i].kind != 'D'; i++)
            if (lines[i].kind == 'L' ? linkat(blobs, lines[i].blob, directory, lines[i].name, 0)
                                     : symlinkat("target", directory, lines[i].name)) fail(lines[i].name);
        close(directory);
    }
    return unused;
}

int main(int argc, char **argv) {
    FILE *names = argc == 4 ? fopen(argv[1], "r") : NULL;
    if (!names) fail("links NAMES BLOBS ROOT");
    blobs = open(argv[2], O_PATH | O_DIRECTORY);
    if (mkdir(argv[3], 0755) || (root = open(argv[3], O_PATH | O_DIRECTORY)) < 0) fail(argv[3]);
    char *text = NULL;
    size_t room = 0;
    while (getline(&text, &room, names) > 0) {
        text[strcspn(text, "\n")] = 0;
        if (count % 4096 == 0) {
            lines = realloc(lines, (count + 4096) * sizeof *lines);
            directories = realloc(directories, (count + 4096) * sizeof *directories);
        }
        char *rest = strdup(text + 2), *name = text[0] == 'L' ? strchr(rest, '\t') : NULL;
        if (name) *name++ = 0;
        lines[count] = (struct line){text[0], rest, name ? name : rest};
        if (text[0] == 'D') {
            directories[directory_count++] = count;
            if (*rest && mkdirat(root, rest, 0755)) fail(rest);
        }
        count++;
    }
    pthread_t other;
    if (pthread_create(&other, NULL, work, NULL)) fail("pthread_create");
    work(NULL);
    pthread_join(other, NULL);
    return 0;
}
