/* Which of the next entries of a tar are plain? Takes runs of them; whatever is not plain is left to the loop in tar.py.
 * And which contents are equal? Takes their prints, and numbers them, as prints.py and equal.py do without it. And hands the C
 * library's heap its orders, where that is glibc's.
 *
 * An entry is plain if it is a file, a folder or a symlink whose header is ustar as Go, GNU tar and BSD tar write it:
 * numbers in octal that fill their fields, a checksum of six digits that holds, no device, a clean name in a folder that
 * was seen before. Nothing is judged here and nothing is refused: the first header that is anything else ends the run,
 * and the loop has the same bytes before it. So there is one reader, and this is a shorter way through its commonest part:
 * without it, the answers are the same (tests/tar/test_runs.py).
 *
 * Stable ABI of Python 3.11. Every read is inside the 512 octets of a header that lies in the buffer, or inside a content of
 * which that was checked.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifndef LAYERSCOPE_SOURCE
#define LAYERSCOPE_SOURCE "" /* digest of this file */
#endif

/* Bits of GLANCE, a table over the last two octets of a path: somebody may want to keep it, or to be shown it. */
enum { MAY_KEEP = 1, MAY_SHOW = 2, PAIRS = 1 << 16 };

enum { BLOCK = 512, NAME = 100, PREFIX = 155, LINK = 100 };
enum { FILE_ = 0, DIRECTORY = 1, SYMLINK = 2 }; /* as in model.Kind */

/* What grows, in the order of the constructor's arguments. */
enum {
    PATHS, FOLDERS, KINDS, SIZES, MODES, UIDS, GIDS, MTIMES, OFFSETS, SPANS, PRINTS, LABELS, /* columns: lists, arrays, bytearrays */
    LINKS, KEPT, KNOWN, /* dicts */
    SHOWN, /* a list */
    KEEP, FITS, PRINT, LABEL, SHOW, /* callables; PRINT may be the key of a fingerprint, SHOW may be None */
    GLANCE, STARTS, INSIDE, /* what a look at the path tells: a table, a tuple, some bytes */
    OBJECTS
};

/* The rest of a row waits for others: numbers go to their arrays many at a time. */
enum { WAITING = 256, TIMES = 127 };
enum { WIDTH = 16 }; /* octets of a label */

typedef struct {
    PyObject_HEAD
    PyObject *held[OBJECTS];
    PyObject *folder; /* of the entry before */
    PyObject *times[TIMES]; /* of entries before, by their seconds: equal ones shall be one object */
    long long seconds[TIMES];
    int waiting; /* rows whose numbers are not in their columns yet */
    long long sizes[WAITING], uids[WAITING], gids[WAITING], offsets[WAITING], spans[WAITING], prints[WAITING];
    unsigned short modes[WAITING];
    char kinds[WAITING], labels[WAITING][WIDTH];
    long long total; /* length of the stream where it lies in place, -1 where it passes */
    long long small; /* longest content whose fingerprint is taken where it lies in place; one that passes is taken whole */
    Py_ssize_t limit; /* rows */
    long long shown_modes; /* permission bits of files that are shown whatever they are called */
} Runs;

/* One header, understood. Pointers lead into `name`, or into the buffer. */
typedef struct {
    int kind;
    long long mode, uid, gid, size, mtime;
    Py_ssize_t length, folder; /* of the path, and of the folder that it is in */
    const unsigned char *path;
    unsigned char name[PREFIX + 1 + NAME];
} Entry;

static int
octal(const unsigned char *field, int digits, long long *value)
{
    long long sum = 0;
    for (int i = 0; i < digits; i++) {
        unsigned digit = (unsigned)field[i] - '0';
        if (digit > 7)
            return 0;
        sum = sum << 3 | digit;
    }
    *value = sum;
    return field[digits] == 0 || field[digits] == ' ';
}

static int
is_zero(const unsigned char *octets, int size)
{
    for (int i = 0; i < size; i++)
        if (octets[i])
            return 0;
    return 1;
}

static int
no_device(const unsigned char *field)
{
    return memcmp(field, "0000000", 8) == 0 || is_zero(field, 8);
}

static Py_ssize_t
length_of(const unsigned char *field, int size)
{
    const unsigned char *end = memchr(field, 0, (size_t)size);
    return end == NULL ? size : end - field;
}

/* Return the sum of the octets of a block, taken as four sums side by side: of 128 octets each, which fit 16 bits. */
static unsigned
sum_of(const unsigned char *block)
{
    const unsigned long long octets = 0x00FF00FF00FF00FF, pairs = 0x0000FFFF0000FFFF;
    unsigned long long word, sum = 0;
    for (int i = 0; i < BLOCK; i += 8) {
        memcpy(&word, block + i, 8);
        sum += (word & octets) + (word >> 8 & octets);
    }
    sum = (sum & pairs) + (sum >> 16 & pairs);
    return (unsigned)(sum + (sum >> 32));
}

static int
checksum_holds(const unsigned char *block)
{
    const unsigned char *field = block + 148;
    long long claimed;
    if (!octal(field, 6, &claimed) || field[6] != 0 || field[7] != ' ')
        return 0;
    unsigned sum = sum_of(block) + 8 * ' ';
    for (int i = 0; i < 8; i++)
        sum -= field[i];
    return sum == (unsigned long long)claimed;
}

/* Understand a header; 0 if it is not plain. */
static int
understand(const unsigned char *block, Entry *entry)
{
    switch (block[156]) {
    case '0': entry->kind = FILE_; break;
    case '2': entry->kind = SYMLINK; break;
    case '5': entry->kind = DIRECTORY; break;
    default: return 0;
    }
    if (memcmp(block + 257, "ustar\00000", 8) != 0 || !is_zero(block + 500, 12))
        return 0;
    if (!no_device(block + 329) || !no_device(block + 337) || !checksum_holds(block))
        return 0;
    if (!octal(block + 100, 7, &entry->mode) || !octal(block + 108, 7, &entry->uid) || !octal(block + 116, 7, &entry->gid))
        return 0;
    if (!octal(block + 124, 11, &entry->size) || !octal(block + 136, 11, &entry->mtime))
        return 0;
    if (entry->size && entry->kind != FILE_)
        return 0;
    entry->mode &= 07777;

    Py_ssize_t length = length_of(block, NAME);
    if (block[345]) {
        Py_ssize_t prefix = length_of(block + 345, PREFIX);
        memcpy(entry->name, block + 345, (size_t)prefix);
        entry->name[prefix] = '/';
        memcpy(entry->name + prefix + 1, block, (size_t)length);
        entry->path = entry->name;
        length += prefix + 1;
    }
    else
        entry->path = block;
    if (length && entry->path[length - 1] == '/') {
        if (entry->kind == FILE_)
            return 0;
        while (length && entry->path[length - 1] == '/')
            length--;
    }
    if (length > 2 && entry->path[0] == '.' && entry->path[1] == '/') {
        entry->path += 2;
        length -= 2;
    }
    Py_ssize_t slash = length;
    while (slash && entry->path[slash - 1] != '/')
        slash--;
    if (slash == length || entry->path[slash] == '.' || slash == 1)
        return 0; /* no name, one that means something, or one from the root */
    entry->length = length;
    entry->folder = slash ? slash - 1 : 0;
    return 1;
}

/* Return the object that stands for a folder seen before, borrowed; NULL, without an error, if it was not. */
static PyObject *
known_folder(Runs *self, const Entry *entry)
{
    if (self->folder != NULL && PyBytes_Size(self->folder) == entry->folder
        && memcmp(PyBytes_AsString(self->folder), entry->path, (size_t)entry->folder) == 0)
        return self->folder;
    PyObject *key = PyBytes_FromStringAndSize((const char *)entry->path, entry->folder);
    if (key == NULL)
        return NULL;
    PyObject *folder = PyDict_GetItemWithError(self->held[KNOWN], key);
    Py_DECREF(key);
    if (folder == NULL || !PyBytes_Check(folder))
        return NULL;
    Py_INCREF(folder);
    Py_XDECREF(self->folder);
    self->folder = folder;
    return folder;
}

static int
append_number(Runs *self, int column, long long value)
{
    PyObject *number = PyLong_FromLongLong(value);
    if (number == NULL)
        return -1;
    int failed = PyList_Append(self->held[column], number);
    Py_DECREF(number);
    return failed;
}

/* Append numbers to an array. */
static int
extend(Runs *self, int column, const void *numbers, size_t size)
{
    PyObject *done = PyObject_CallMethod(self->held[column], "frombytes", "y#", (const char *)numbers,
                                         (Py_ssize_t)size * self->waiting);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Append octets to a bytearray. */
static int
extend_octets(Runs *self, int column, const char *octets, Py_ssize_t size)
{
    PyObject *array = self->held[column];
    Py_ssize_t before = PyByteArray_Size(array);
    if (PyByteArray_Resize(array, before + size * self->waiting) < 0)
        return -1;
    memcpy(PyByteArray_AsString(array) + before, octets, (size_t)(size * self->waiting));
    return 0;
}

/* Bring the numbers that wait to their columns. */
static int
settle(Runs *self)
{
    if (self->waiting == 0)
        return 0;
    if (extend_octets(self, KINDS, self->kinds, 1) < 0 || (self->total < 0 && extend_octets(self, LABELS, *self->labels, WIDTH) < 0))
        return -1;
    if (extend(self, SIZES, self->sizes, sizeof *self->sizes) < 0 || extend(self, MODES, self->modes, sizeof *self->modes) < 0
        || extend(self, UIDS, self->uids, sizeof *self->uids) < 0 || extend(self, GIDS, self->gids, sizeof *self->gids) < 0
        || extend(self, OFFSETS, self->offsets, sizeof *self->offsets) < 0
        || extend(self, SPANS, self->spans, sizeof *self->spans) < 0
        || extend(self, PRINTS, self->prints, sizeof *self->prints) < 0)
        return -1;
    self->waiting = 0;
    return 0;
}

static int
append_mtime(Runs *self, long long seconds)
{
    int slot = (int)((unsigned long long)seconds % TIMES);
    if (self->times[slot] == NULL || self->seconds[slot] != seconds) {
        /* eleven digits are at most 2^33 - 1 seconds, which in nanoseconds is less than 2^63 */
        PyObject *value = PyLong_FromLongLong(seconds * 1000000000LL);
        if (value == NULL)
            return -1;
        Py_XDECREF(self->times[slot]);
        self->times[slot] = value;
        self->seconds[slot] = seconds;
    }
    return PyList_Append(self->held[MTIMES], self->times[slot]);
}

static int
set_item(PyObject *dict, Py_ssize_t row, PyObject *value)
{
    if (value == NULL)
        return -1;
    PyObject *key = PyLong_FromSsize_t(row);
    int failed = key == NULL || PyDict_SetItem(dict, key, value) < 0;
    Py_XDECREF(key);
    Py_DECREF(value);
    return failed ? -1 : 0;
}

static int
has_inside(const Entry *entry, const char *part, Py_ssize_t size)
{
    const unsigned char *at = entry->path, *end = at + entry->length;
    while (size && end - at >= size && (at = memchr(at, part[0], (size_t)(end - at - size + 1))) != NULL)
        if (memcmp(at++, part, (size_t)size) == 0)
            return 1;
    return 0;
}

/* Remember that a folder was seen. It is no mark: those begin with a dot. */
static int
remember_folder(Runs *self, PyObject *path)
{
    if (PyDict_GetItemWithError(self->held[KNOWN], path) != NULL)
        return 0;
    return PyErr_Occurred() ? -1 : PyDict_SetItem(self->held[KNOWN], path, path);
}

/* Who may want a file, by its path and mode: nearly always nobody. */
static int
glance(Runs *self, const Entry *entry)
{
    if (entry->length < 2)
        return MAY_KEEP | MAY_SHOW;
    const unsigned char *last = entry->path + entry->length - 2;
    int found = PyBytes_AsString(self->held[GLANCE])[last[0] << 8 | last[1]];
    if (!(found & MAY_KEEP)) {
        Py_ssize_t count = PyTuple_Size(self->held[STARTS]);
        for (Py_ssize_t i = 0; i < count; i++) {
            PyObject *start = PyTuple_GetItem(self->held[STARTS], i);
            Py_ssize_t size = PyBytes_Size(start);
            if (size <= entry->length && memcmp(PyBytes_AsString(start), entry->path, (size_t)size) == 0)
                found |= MAY_KEEP;
        }
    }
    if (!(found & MAY_SHOW)) {
        PyObject *part = self->held[INSIDE];
        if (entry->mode & self->shown_modes || has_inside(entry, PyBytes_AsString(part), PyBytes_Size(part)))
            found |= MAY_SHOW;
    }
    return found;
}

/* Whether a callable says yes, of its arguments: takes the reference to the answer. */
static int
says_yes(PyObject *answer)
{
    int yes = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return yes;
}

/* Keep a content if there is room for it. */
static int
keep(Runs *self, Py_ssize_t row, PyObject *path, PyObject *content, long long start)
{
    Py_ssize_t size = PyBytes_Size(content);
    int fits = says_yes(PyObject_CallFunction(self->held[FITS], "OnL", path, size, start));
    if (fits <= 0)
        return fits;
    Py_INCREF(content);
    return set_item(self->held[KEPT], row, content);
}

/* Show a content that passes; takes nothing. */
static int
show(Runs *self, Py_ssize_t row, PyObject *path, long long mode, PyObject *content, long long start)
{
    if (self->held[SHOW] == Py_None)
        return 0;
    PyObject *done = PyObject_CallFunction(self->held[SHOW], "nOLOL", row, path, mode, content, start);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

#ifdef __SIZEOF_INT128__
#define FINGERPRINTS

typedef unsigned __int128 Wide;
typedef unsigned long long Word;

enum { FINAL = 4 * sizeof(Wide), PAIR = 2 * sizeof(Word) }; /* octets of a key that come first, and that go with as many of a content */

/* Return the longest content that a key is long enough for, -1 if it is no key. */
static Py_ssize_t
reach(PyObject *key)
{
    Py_ssize_t octets = PyBytes_Check(key) ? PyBytes_Size(key) - FINAL : -1;
    return octets < 0 ? -1 : octets & ~(Py_ssize_t)(PAIR - 1);
}

static Wide
multiply(const char *key, const char *content, size_t size)
{
    Word keys[2], words[2] = {0, 0};
    memcpy(keys, key, PAIR);
    memcpy(words, content, size);
    return (Wide)(keys[0] + words[0]) * (keys[1] + words[1]);
}

/* NH, of words of 64 bits: contents of one size meet in it for one of 2^64 keys at most (Black, Halevi, Krawczyk, Krovetz and
 * Rogaway, UMAC: fast and secure message authentication, CRYPTO 1999, section 4). */
static Wide
sum_up(const char *key, const char *content, size_t size)
{
    Wide sum = 0;
    for (; size >= PAIR; size -= PAIR, content += PAIR, key += PAIR)
        sum += multiply(key, content, PAIR);
    return size ? sum + multiply(key, content, size) : sum;
}

/* Return what NH makes of a content together with its size through the multilinear family, the upper half of
 * k0 + k1 * size + k2 * low + k3 * high modulo 2^128: what differs before it meets in it for one of 2^64 keys (Lemire and Kaser,
 * Strongly universal string hashing is fast, The Computer Journal 57 (11), 2014, section 3). So do any two contents, whatever
 * they are, for one of 2^63. */
static long long
finish(const char *key, Wide sum, Py_ssize_t size)
{
    Wide final[4];
    memcpy(final, key, FINAL);
    return (long long)((final[0] + final[1] * (Word)size + final[2] * (Word)sum + final[3] * (Word)(sum >> 64)) >> 64);
}

static long long
print_of(const char *key, const char *content, Py_ssize_t size)
{
    return finish(key, sum_up(key + FINAL, content, (size_t)size), size);
}

static PyObject *
fingerprint(PyObject *module, PyObject *args)
{
    PyObject *key, *content;
    (void)module;
    if (!PyArg_ParseTuple(args, "SS:fingerprint", &key, &content))
        return NULL;
    if (PyBytes_Size(content) > reach(key)) {
        PyErr_SetString(PyExc_ValueError, "the key is too short for the content");
        return NULL;
    }
    return PyLong_FromLongLong(print_of(PyBytes_AsString(key), PyBytes_AsString(content), PyBytes_Size(content)));
}

/* A content that comes in pieces, cut into parts as long as the key is for; the last one may be shorter. */
typedef struct {
    PyObject_HEAD
    PyObject *key;
    long long *prints; /* of the parts that are full */
    size_t count, room;
    Wide sum; /* of the part at hand, as far as its pairs are full */
    Py_ssize_t filled; /* octets of the part at hand, the last of which may be in `pair` */
    char pair[PAIR];
} Parts;

/* Note the print of the part at hand, which is full, and begin the next one. */
static int
end_part(Parts *self)
{
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 16;
        long long *more = PyMem_Realloc(self->prints, room * sizeof *more);
        if (more == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->prints = more;
        self->room = room;
    }
    self->prints[self->count++] = finish(PyBytes_AsString(self->key), self->sum, self->filled);
    self->sum = 0;
    self->filled = 0;
    return 0;
}

static PyObject *
update(PyObject *object, PyObject *args)
{
    Parts *self = (Parts *)object;
    Py_buffer piece;
    if (!PyArg_ParseTuple(args, "y*:update", &piece))
        return NULL;
    const char *key = PyBytes_AsString(self->key) + FINAL, *content = piece.buf;
    Py_ssize_t whole = reach(self->key), left = piece.len;
    int failed = 0;
    while (left && !failed) {
        Py_ssize_t open = self->filled % PAIR, size;
        if (open || left < PAIR) { /* whole is a multiple of a pair */
            size = left < PAIR - open ? left : PAIR - open;
            memcpy(self->pair + open, content, (size_t)size);
            if (open + size == PAIR)
                self->sum += multiply(key + self->filled - open, self->pair, PAIR);
        }
        else {
            size = left < whole - self->filled ? left & ~(Py_ssize_t)(PAIR - 1) : whole - self->filled;
            self->sum += sum_up(key + self->filled, content, (size_t)size);
        }
        self->filled += size;
        content += size;
        left -= size;
        if (self->filled == whole)
            failed = end_part(self) < 0;
    }
    PyBuffer_Release(&piece);
    if (failed)
        return NULL;
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *
prints_of_parts(PyObject *object, PyObject *none)
{
    Parts *self = (Parts *)object;
    (void)none;
    size_t size = self->count * sizeof *self->prints;
    int more = self->filled || !self->count;
    PyObject *found = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(size + (more ? sizeof *self->prints : 0)));
    if (found == NULL)
        return NULL;
    char *prints = PyBytes_AsString(found);
    if (size)
        memcpy(prints, self->prints, size);
    if (more) {
        const char *key = PyBytes_AsString(self->key);
        Py_ssize_t open = self->filled % PAIR;
        Wide sum = self->sum;
        if (open)
            sum += multiply(key + FINAL + self->filled - open, self->pair, (size_t)open);
        long long last = finish(key, sum, self->filled);
        memcpy(prints + size, &last, sizeof last);
    }
    return found;
}

static PyObject *
begin_parts(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *key;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "S:Parts", &key))
        return NULL;
    if (reach(key) < PAIR) {
        PyErr_SetString(PyExc_ValueError, "the key is too short for a part");
        return NULL;
    }
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Parts *self = (Parts *)alloc(type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(key);
    self->key = key;
    return (PyObject *)self;
}

static void
end_parts(PyObject *object)
{
    Parts *self = (Parts *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(self->key);
    PyMem_Free(self->prints);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef methods_of_parts[] = {
    {"update", update, METH_VARARGS, "update(piece, /)\n--\n\nTake the next piece."},
    {"prints", prints_of_parts, METH_NOARGS, "prints()\n--\n\nReturn the fingerprints of all parts so far, eight octets each."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots_of_parts[] = {
    {Py_tp_doc, "A content that comes in pieces, and the fingerprints of its parts, which are as long as the key is for."},
    {Py_tp_new, begin_parts},
    {Py_tp_dealloc, end_parts},
    {Py_tp_methods, methods_of_parts},
    {0, NULL},
};

static PyType_Spec spec_of_parts = {
    .name = "layerscope.archive.runs.Parts",
    .basicsize = sizeof(Parts),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots_of_parts,
};
#endif

/* What contents that are equal share. */
static int
take_print(Runs *self, const char *octets, Py_ssize_t size, long long *print)
{
#ifdef FINGERPRINTS
    if (PyBytes_Check(self->held[PRINT])) {
        *print = print_of(PyBytes_AsString(self->held[PRINT]), octets, size);
        return 0;
    }
#endif
    PyObject *content = PyBytes_FromStringAndSize(octets, size);
    if (content == NULL)
        return -1;
    PyObject *told = PyObject_CallFunctionObjArgs(self->held[PRINT], content, NULL);
    Py_DECREF(content);
    if (told == NULL)
        return -1;
    *print = PyLong_AsLongLong(told);
    Py_DECREF(told);
    return *print == -1 && PyErr_Occurred() ? -1 : 0;
}

/* Take the label of a content for the row that waits next. */
static int
take_label(Runs *self, PyObject *content)
{
    PyObject *label = PyObject_CallFunctionObjArgs(self->held[LABEL], content, NULL);
    int sound = label != NULL && PyBytes_Check(label) && PyBytes_Size(label) == WIDTH;
    if (sound)
        memcpy(self->labels[self->waiting], PyBytes_AsString(label), WIDTH);
    else if (label != NULL)
        PyErr_SetString(PyExc_TypeError, "a label has 16 octets");
    Py_XDECREF(label);
    return sound ? 0 : -1;
}

/* Take the entry at hand: 1 if it was taken, 0 if it is not plain, -1 with an exception. `*position` moves behind it. If more
 * of its bytes are needed than are there, `*need` says how many. */
static int
take_one(Runs *self, const char *buffer, Py_ssize_t *position, Py_ssize_t end, long long base, Py_ssize_t *need)
{
    const unsigned char *block = (const unsigned char *)buffer + *position;
    Py_ssize_t row = PyList_Size(self->held[PATHS]);
    Entry entry;
    if (row >= self->limit || !understand(block, &entry))
        return 0;
    PyObject *folder = known_folder(self, &entry);
    if (folder == NULL)
        return PyErr_Occurred() ? -1 : 0;

    int in_place = self->total >= 0;
    long long where = base + *position + BLOCK, padded = (entry.size + 511) & ~511LL;
    Py_ssize_t at = *position + BLOCK; /* of the content in the buffer */
    int whole = padded <= end - at, held = entry.size && (!in_place || entry.size <= self->small);
    if (in_place && padded > self->total - where)
        return 0;
    if ((!in_place && entry.size > self->small) || padded > PY_SSIZE_T_MAX - at)
        return 0;
    if (!in_place && !whole) {
        *need = BLOCK + (Py_ssize_t)padded;
        return 0;
    }
    if (held && !whole && entry.size > end - at) {
        *need = BLOCK + (Py_ssize_t)entry.size;
        return 0;
    }

    PyObject *path = PyBytes_FromStringAndSize((const char *)entry.path, entry.length), *content = NULL;
    if (path == NULL)
        return -1;
    int wish = entry.kind == FILE_ ? glance(self, &entry) : 0, keeps = 0;
    if (wish & MAY_KEEP)
        keeps = says_yes(PyObject_CallFunctionObjArgs(self->held[KEEP], path, NULL));
    if (keeps && (keeps < 0 || (entry.size && !held))) {
        Py_DECREF(path);
        return keeps < 0 ? -1 : 0;
    }
    long long print = 0;
    if (held && take_print(self, buffer + at, (Py_ssize_t)entry.size, &print) < 0)
        goto failed;
    memset(self->labels[self->waiting], 0, WIDTH);
    if (keeps || (held && !in_place)) {
        content = PyBytes_FromStringAndSize(buffer + at, (Py_ssize_t)entry.size);
        if (content == NULL)
            goto failed;
        if (held && !in_place && take_label(self, content) < 0)
            goto failed;
        if (keeps && keep(self, row, path, content, base + *position) < 0)
            goto failed;
        if (held && !in_place && wish & MAY_SHOW && show(self, row, path, entry.mode, content, base + *position) < 0)
            goto failed;
    }
    if (entry.kind == DIRECTORY && remember_folder(self, path) < 0)
        goto failed;
    if (entry.kind == SYMLINK) {
        const char *link = (const char *)block + 157;
        if (set_item(self->held[LINKS], row, PyBytes_FromStringAndSize(link, length_of(block + 157, LINK))) < 0)
            goto failed;
    }
    if (in_place && entry.size && wish & MAY_SHOW && append_number(self, SHOWN, row) < 0)
        goto failed;
    if (PyList_Append(self->held[PATHS], path) < 0 || PyList_Append(self->held[FOLDERS], folder) < 0
        || append_mtime(self, entry.mtime) < 0)
        goto failed;
    int waiting = self->waiting++;
    self->kinds[waiting] = (char)entry.kind;
    self->sizes[waiting] = entry.size;
    self->modes[waiting] = (unsigned short)entry.mode;
    self->uids[waiting] = entry.uid;
    self->gids[waiting] = entry.gid;
    self->offsets[waiting] = where;
    self->spans[waiting] = BLOCK + padded;
    self->prints[waiting] = print;
    if (self->waiting == WAITING && settle(self) < 0)
        goto failed;
    Py_DECREF(path);
    Py_XDECREF(content);
    *position = at + (Py_ssize_t)padded;
    return 1;

failed:
    Py_DECREF(path);
    Py_XDECREF(content);
    return -1;
}

static PyObject *
take(PyObject *object, PyObject *args)
{
    Runs *self = (Runs *)object;
    PyObject *bytes;
    Py_ssize_t position, end, need = 0;
    long long base;
    if (!PyArg_ParseTuple(args, "SnnL:take", &bytes, &position, &end, &base))
        return NULL;
    if (position < 0 || end > PyBytes_Size(bytes) || base < 0) {
        PyErr_SetString(PyExc_ValueError, "no such part of the buffer");
        return NULL;
    }
    const char *buffer = PyBytes_AsString(bytes);
    int taken = 1;
    while (taken > 0 && end - position >= BLOCK)
        taken = take_one(self, buffer, &position, end, base, &need);
    if (taken < 0) { /* what was read before an error is not lost */
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        if (settle(self) < 0)
            PyErr_Clear();
        PyErr_Restore(type, value, traceback);
        return NULL;
    }
    return settle(self) < 0 ? NULL : Py_BuildValue("nn", position, need);
}

static PyObject *
create(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *held[OBJECTS];
    long long total, small, modes;
    Py_ssize_t limit;
    if (keywords != NULL && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Runs() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(
            args, "O!O!O!OOOOO!OOOO!O!O!O!O!OOOOOO!O!O!LLLn:Runs", &PyList_Type, &held[PATHS], &PyList_Type, &held[FOLDERS],
            &PyByteArray_Type, &held[KINDS], &held[SIZES], &held[MODES], &held[UIDS], &held[GIDS],
            &PyList_Type, &held[MTIMES], &held[OFFSETS], &held[SPANS], &held[PRINTS], &PyByteArray_Type, &held[LABELS],
            &PyDict_Type, &held[LINKS], &PyDict_Type, &held[KEPT], &PyDict_Type, &held[KNOWN], &PyList_Type, &held[SHOWN], &held[KEEP],
            &held[FITS], &held[PRINT], &held[LABEL], &held[SHOW], &PyBytes_Type, &held[GLANCE], &PyTuple_Type, &held[STARTS],
            &PyBytes_Type, &held[INSIDE], &modes, &total, &small, &limit))
        return NULL;
    int sound = PyBytes_Size(held[GLANCE]) == PAIRS;
#ifdef FINGERPRINTS
    sound = sound && (reach(held[PRINT]) >= small || !PyBytes_Check(held[PRINT]));
#endif
    for (Py_ssize_t i = 0; i < PyTuple_Size(held[STARTS]); i++)
        sound = sound && PyBytes_Check(PyTuple_GetItem(held[STARTS], i));
    if (!sound) {
        PyErr_SetString(PyExc_ValueError, "a table of 65,536 octets, a tuple of bytes, and a key that is long enough");
        return NULL;
    }
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Runs *self = (Runs *)alloc(type, 0);
    if (self == NULL)
        return NULL;
    for (int i = 0; i < OBJECTS; i++) {
        Py_INCREF(held[i]);
        self->held[i] = held[i];
    }
    self->total = total;
    self->small = small;
    self->limit = limit;
    self->shown_modes = modes;
    return (PyObject *)self;
}

static void
destroy(PyObject *object)
{
    Runs *self = (Runs *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int i = 0; i < OBJECTS; i++)
        Py_XDECREF(self->held[i]);
    Py_XDECREF(self->folder);
    for (int i = 0; i < TIMES; i++)
        Py_XDECREF(self->times[i]);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"take", take, METH_VARARGS, "take(buffer, position, end, base, /)\n--\n\n"
     "Take plain entries from a position on; return where the first other one begins, and how much more of it is needed."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Runs of plain entries, and the columns that they go to."},
    {Py_tp_new, create},
    {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "layerscope.archive.runs.Runs",
    .basicsize = sizeof(Runs),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

static int
add_type(PyObject *module, const char *name, PyType_Spec *made_of)
{
    PyObject *type = PyType_FromSpec(made_of);
    int failed = type == NULL || PyModule_AddObjectRef(module, name, type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static int
fill(PyObject *module)
{
    if (add_type(module, "Runs", &spec) < 0 || PyModule_AddStringConstant(module, "SOURCE", LAYERSCOPE_SOURCE) < 0)
        return -1;
#ifdef FINGERPRINTS
    return PyModule_AddIntConstant(module, "FINAL", FINAL) < 0 ? -1 : add_type(module, "Parts", &spec_of_parts);
#else
    return 0;
#endif
}

/* Rows of several layers, numbered through, and which stand for others: what number_equal works on. */
typedef struct {
    PyObject *columns; /* a list of the layers' paths, lists */
    Py_ssize_t layers, rows;
    Py_ssize_t *starts; /* of each layer, and the end */
    long long *prints;
    int *first; /* a table of rows by their print, -1 where there is none */
    int *numbers; /* of each row: 1 and the first row that shares its print if there are several, else 0 */
    PyObject *moved; /* a set of numbers: such a row's path is not that of all that share its print */
} Equals;

static Py_ssize_t
layer_of(const Equals *self, Py_ssize_t row)
{
    Py_ssize_t low = 0, high = self->layers;
    while (high - low > 1) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (self->starts[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Note that a row of some layer shares its print with another one before it. One path becomes one object. */
static int
follow(Equals *self, Py_ssize_t leader, Py_ssize_t row, Py_ssize_t layer)
{
    Py_ssize_t there = layer_of(self, leader);
    PyObject *path = PyList_GetItem(PyList_GetItem(self->columns, there), leader - self->starts[there]);
    PyObject *paths = PyList_GetItem(self->columns, layer), *mine = PyList_GetItem(paths, row - self->starts[layer]);
    int same = path == NULL || mine == NULL ? -1 : PyObject_RichCompareBool(path, mine, Py_EQ), failed;
    self->numbers[leader] = self->numbers[row] = (int)leader + 1;
    if (same < 0)
        return -1;
    if (same) {
        Py_INCREF(path);
        return PyList_SetItem(paths, row - self->starts[layer], path);
    }
    PyObject *number = PyLong_FromSsize_t(leader + 1);
    failed = number == NULL || PySet_Add(self->moved, number) < 0;
    Py_XDECREF(number);
    return failed ? -1 : 0;
}

/* Find for each row the first one that shares its print. */
static int
find_equal(Equals *self, Py_ssize_t mask)
{
    for (Py_ssize_t layer = 0; layer < self->layers; layer++)
        for (Py_ssize_t row = self->starts[layer]; row < self->starts[layer + 1]; row++) {
            long long print = self->prints[row];
            if (print == 0)
                continue;
            Py_ssize_t slot = (Py_ssize_t)((unsigned long long)print & (unsigned long long)mask); /* nobody can choose prints */
            while (self->first[slot] >= 0 && self->prints[self->first[slot]] != print)
                slot = (slot + 1) & mask;
            if (self->first[slot] < 0)
                self->first[slot] = (int)row;
            else if (follow(self, self->first[slot], row, layer) < 0)
                return -1;
        }
    return 0;
}

/* Whether the columns are what they should be; says how many rows they have. */
static int
count_rows(Equals *self)
{
    self->starts[0] = 0;
    for (Py_ssize_t layer = 0; layer < self->layers; layer++) {
        PyObject *paths = PyList_GetItem(self->columns, layer);
        if (!PyList_Check(paths))
            return 0;
        self->starts[layer + 1] = self->starts[layer] + PyList_Size(paths);
    }
    self->rows = self->starts[self->layers];
    return 1;
}

static PyObject *
number_equal(PyObject *module, PyObject *args)
{
    Equals self = {0};
    PyObject *prints, *found = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "SO!:number_equal", &prints, &PyList_Type, &self.columns))
        return NULL;
    self.layers = PyList_Size(self.columns);
    self.starts = PyMem_Calloc((size_t)self.layers + 1, sizeof *self.starts);
    if (self.starts == NULL)
        return PyErr_NoMemory();
    if (!count_rows(&self) || self.rows > INT_MAX / 4 || PyBytes_Size(prints) != self.rows * (Py_ssize_t)sizeof *self.prints) {
        PyErr_SetString(PyExc_ValueError, "columns of as many rows as there are prints");
        PyMem_Free(self.starts);
        return NULL;
    }
    size_t rows = (size_t)self.rows, slots = 16;
    while (slots < 2 * rows)
        slots *= 2;
    self.prints = PyMem_Calloc(rows + 1, sizeof *self.prints);
    self.first = PyMem_Calloc(slots, sizeof *self.first);
    self.numbers = PyMem_Calloc(rows + 1, sizeof *self.numbers);
    self.moved = PySet_New(NULL);
    if (self.prints == NULL || self.first == NULL || self.numbers == NULL)
        PyErr_NoMemory();
    else if (self.moved != NULL) {
        memcpy(self.prints, PyBytes_AsString(prints), rows * sizeof *self.prints);
        memset(self.first, -1, slots * sizeof *self.first);
        if (find_equal(&self, (Py_ssize_t)slots - 1) == 0)
            found = Py_BuildValue("y#O", (const char *)self.numbers, (Py_ssize_t)(rows * sizeof *self.numbers), self.moved);
    }
    PyMem_Free(self.starts);
    PyMem_Free(self.prints);
    PyMem_Free(self.first);
    PyMem_Free(self.numbers);
    Py_XDECREF(self.moved);
    return found;
}

#ifdef __GLIBC__
static PyObject *
settle_heap(PyObject *module, PyObject *args)
{
    int large, spare;
    (void)module;
    if (!PyArg_ParseTuple(args, "ii:settle_heap", &large, &spare))
        return NULL;
    return PyBool_FromLong(mallopt(M_MMAP_THRESHOLD, large) && mallopt(M_TRIM_THRESHOLD, spare));
}

static PyObject *
trim_heap(PyObject *module, PyObject *none)
{
    (void)module;
    (void)none;
    return PyBool_FromLong(malloc_trim(0));
}
#endif

static PyMethodDef functions[] = {
#ifdef __GLIBC__
    {"settle_heap", settle_heap, METH_VARARGS, "settle_heap(large, spare, /)\n--\n\n"
     "From now on map blocks of `large` bytes one by one, and keep `spare` free ones at the end of a heap. Tell whether that holds."},
    {"trim_heap", trim_heap, METH_NOARGS, "trim_heap()\n--\n\n"
     "Give back to the system what is free. Tell whether there was any."},
#endif
#ifdef FINGERPRINTS
    {"fingerprint", fingerprint, METH_VARARGS, "fingerprint(key, content, /)\n--\n\n"
     "Return 64 bits that two contents share for one of 2**63 keys; a key has 64 random bytes, and as many as a content, in sixteens."},
#endif
    {"number_equal", number_equal, METH_VARARGS, "number_equal(prints, columns, /)\n--\n\n"
     "Give all rows that share a fingerprint one number, as equal.number_equal does."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, fill},
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "layerscope.archive.runs",
    .m_doc = "Takes runs of plain tar entries; see runs.c.",
    .m_methods = functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit_runs(void)
{
    return PyModuleDef_Init(&module);
}
