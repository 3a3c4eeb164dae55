/* A scripted libnvidia-ml.so.1: every call reads the file named by SCRIPTED_CARD_STATE anew.
 *
 * Its lines are "key value"; keys of a card begin with its index: "0.power_mw 45000". The value
 * "!15" makes the call return that NVML error; a key that is not there is NOT_SUPPORTED. "0.lost !15"
 * takes the whole card away. Only what pynvml calls for the studio is here. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, UNKNOWN = 999 };

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } Memory;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } Process;
typedef struct { unsigned id, scope; long long stamp, latency; unsigned type, result; union { double d; unsigned ui; } value; } Field;

static int sessions = 0;

static int find(const char *key, char *value, size_t size) {
    char line[4096];
    size_t length = strlen(key);
    int result = NOT_SUPPORTED;
    FILE *file = fopen(getenv("SCRIPTED_CARD_STATE"), "r");
    if (!file) return UNKNOWN;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) || line[length] != ' ') continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(value, size, "%s", line + length + 1);
        result = value[0] == '!' ? atoi(value + 1) : SUCCESS;
    }
    fclose(file);
    return result;
}

static int text(void *card, const char *name, char *value, size_t size) {
    char key[64], lost[16];
    int result;
    if (!sessions) return UNINITIALIZED;
    if (!card) return find(name, value, size);
    snprintf(key, sizeof key, "%d.lost", (int)(size_t)card - 1);
    result = find(key, lost, sizeof lost);
    if (result != NOT_SUPPORTED) return result;
    snprintf(key, sizeof key, "%d.%s", (int)(size_t)card - 1, name);
    return find(key, value, size);
}

static int number(void *card, const char *name, u64 *value) {
    char found[64];
    int result = text(card, name, found, sizeof found);
    if (result == SUCCESS) *value = strtoull(found, NULL, 10);
    return result;
}

static int small(void *card, const char *name, unsigned *value) {
    u64 found = 0;
    int result = number(card, name, &found);
    if (result == SUCCESS) *value = (unsigned)found;
    return result;
}

int nvmlInitWithFlags(unsigned flags) {
    char found[16];
    int result = find("init", found, sizeof found);
    (void)flags;
    if (result == SUCCESS) sessions++;
    return result;
}

int nvmlShutdown(void) {
    if (!sessions) return UNINITIALIZED;
    sessions--;
    return SUCCESS;
}

const char *nvmlErrorString(int result) { (void)result; return "scripted error"; }
int nvmlSystemGetDriverVersion(char *value, unsigned size) { return text(NULL, "driver", value, size); }
int nvmlSystemGetCudaDriverVersion(unsigned *value) { return small(NULL, "cuda", value); }
int nvmlSystemGetCudaDriverVersion_v2(unsigned *value) { return small(NULL, "cuda", value); }
int nvmlDeviceGetCount_v2(unsigned *value) { return small(NULL, "count", value); }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **card) {
    char name[128];
    unsigned count = 0;
    int result = small(NULL, "count", &count);
    if (result == SUCCESS && index >= count) result = INVALID_ARGUMENT;
    if (result != SUCCESS) return result;
    *card = (void *)(size_t)(index + 1);
    result = text(*card, "name", name, sizeof name);
    return result == NOT_SUPPORTED ? SUCCESS : result;
}

int nvmlDeviceGetName(void *card, char *value, unsigned size) { return text(card, "name", value, size); }
int nvmlDeviceGetUUID(void *card, char *value, unsigned size) { return text(card, "uuid", value, size); }
int nvmlDeviceGetPowerUsage(void *card, unsigned *value) { return small(card, "power_mw", value); }
int nvmlDeviceGetEnforcedPowerLimit(void *card, unsigned *value) { return small(card, "power_limit_mw", value); }
int nvmlDeviceGetCurrentClocksEventReasons(void *card, u64 *value) { return number(card, "throttle_bits", value); }

int nvmlDeviceGetTemperature(void *card, unsigned sensor, unsigned *value) {
    (void)sensor;
    return small(card, "temperature_c", value);
}

int nvmlDeviceGetCudaComputeCapability(void *card, unsigned *major, unsigned *minor) {
    unsigned both = 0;
    int result = small(card, "compute", &both);
    *major = both / 10;
    *minor = both % 10;
    return result;
}

int nvmlDeviceGetMemoryInfo(void *card, Memory *memory) {
    int result = number(card, "total", &memory->total);
    if (result == SUCCESS) result = number(card, "used", &memory->used);
    memory->free = memory->total - memory->used;
    return result;
}

int nvmlDeviceGetUtilizationRates(void *card, Utilization *load) {
    load->memory = 0;
    return small(card, "load_percent", &load->gpu);
}

int nvmlDeviceGetFieldValues(void *card, int count, Field *fields) {
    char name[128];
    int result = text(card, "name", name, sizeof name);
    if (result != SUCCESS && result != NOT_SUPPORTED) return result;
    for (int i = 0; i < count; i++) {
        fields[i].type = 1;
        fields[i].result = small(card, "memory_temperature_c", &fields[i].value.ui);
    }
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *card, unsigned *count, Process *processes) {
    char list[4096], *rest = list, *one;
    unsigned room = *count, found = 0;
    int result = text(card, "processes", list, sizeof list);
    if (result != SUCCESS) return result;
    while ((one = strsep(&rest, ","))) {
        char *used = strchr(one, ':');
        if (!used) continue;
        if (found < room && processes) {
            memset(&processes[found], 0, sizeof *processes);
            processes[found].pid = (unsigned)atoi(one);
            processes[found].used = used[1] == '-' ? ~0ULL : strtoull(used + 1, NULL, 10);
        }
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}
